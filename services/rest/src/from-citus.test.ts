import { expect, test } from 'vitest'
import { fromCitus } from './from-citus.ts'

const failed = (code: string, message: string, detail?: string) => ({ severity: 'ERROR', code, message, detail })

test.each([
  [
    '23505',
    'duplicate key value violates unique constraint "boats_pkey_102008"',
    'duplicate key value violates unique constraint "boats_pkey"',
  ],
  [
    '23503',
    'update or delete on table "boats_102008" violates foreign key constraint "trips_fkey_102041" on table "trips_102041"',
    'update or delete on table "boats" violates foreign key constraint "trips_fkey" on table "trips"',
  ],
  [
    '42501',
    'new row violates row-level security policy for table "mine_102009"',
    'new row violates row-level security policy for table "mine"',
  ],
  ['23514', 'new row for relation "q_2026" violates "n_check"', 'new row for relation "q_2026" violates "n_check"'],
  ['22P02', 'invalid input syntax for type integer: "a_102008"', 'invalid input syntax for type integer: "a_102008"'],
])('%s: %s', (code, message, own) => {
  expect(fromCitus(failed(code, message))).toMatchObject({ code, message: own })
})

test('values of the caller stay as they are', () => {
  const detail = 'Key (name)=("a_102008".) is not present in table "boats_102008".'
  expect(fromCitus(failed('23503', 'no', detail)).detail).toBe(
    'Key (name)=("a_102008".) is not present in table "boats".',
  )
})

test.each([
  ['XX000', 'EXPLAIN ANALYZE is currently not supported for INSERT ... SELECT commands via coordinator'],
  ['0A000', 'cannot modify views when the query contains citus tables'],
  ['0A000', 'modifying the partition value of rows is not allowed'],
  ['0A000', 'complex joins are only supported when all distributed tables are co-located'],
  ['42883', 'function public.label(boats_102170) does not exist'],
])('what Citus refuses has a hint: %s %s', (code, message) => {
  const fields = fromCitus(failed(code, message))
  expect(fields).toMatchObject({ code: '0A000', message })
  expect(fields.hint).not.toBe('')
})

test('what Postgres refuses is left alone', () => {
  const missing = failed('42883', 'function public.label(integer) does not exist')
  expect(fromCitus(missing)).toBe(missing)
})
