import { DatabaseError } from 'pg'
import { expect, test } from 'vitest'
import { PostgresError } from './errors.ts'
import { toPostgresFailure } from './failure.ts'

function answered(code: string): DatabaseError {
  return Object.assign(new DatabaseError('text', 4, 'error'), { code, severity: 'ERROR', position: '7', hint: 'try' })
}

test('an answer of the server keeps its fields', () => {
  const failure = toPostgresFailure(answered('23505'), { sent: true })
  expect(failure).toBeInstanceOf(PostgresError)
  expect(failure).toMatchObject({
    message: 'text',
    fields: { severity: 'ERROR', code: '23505', position: 7, hint: 'try' },
  })
})

test.each(['57P01', '57P03', '53300', '08006'])('%s means that the server is not there', (code) => {
  expect(toPostgresFailure(answered(code), { sent: true })).toMatchObject({ reason: 'connection', sent: true })
})

test.each([
  [Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' }), 'connection'],
  [Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }), 'connection'],
  [new Error('Connection terminated unexpectedly'), 'connection'],
  [new Error('timeout exceeded when trying to connect'), 'pool'],
])('%s is no answer: %s', (error, reason) => {
  expect(toPostgresFailure(error, { sent: false })).toMatchObject({ name: 'PostgresUnavailable', reason, sent: false })
})

test('other errors, and those that are translated already, stay as they are', () => {
  for (const error of [
    new TypeError('a bug'),
    'text',
    undefined,
    toPostgresFailure(answered('42601'), { sent: true }),
  ]) {
    expect(toPostgresFailure(error, { sent: true })).toBe(error)
  }
})
