import { expect, test } from 'vitest'
import { defaultPipelineLimits as limits } from './limits.ts'
import { toMilliseconds, toSessionSettings } from './session-settings.ts'

const timeout = (kind: 'shared' | 'alone' | 'write', given?: string) => {
  const own = given === undefined ? [] : [['statement_timeout', given] as const]
  return new Map(toSessionSettings(limits, { role: 'anon', kind }, own)).get('statement_timeout')
}

test('times are read as Postgres writes them', () => {
  expect(['8s', '500', '1.5min', ' 2 h', '900us', "'3s'", '0', '1d'].map(toMilliseconds)).toEqual([
    8_000, 500, 90_000, 7_200_000, 1, 3_000, 0, 86_400_000,
  ])
  expect(() => toMilliseconds('soon')).toThrow('"soon" is not a time')
})

test('the time limit is the role’s, capped on shared connections', () => {
  expect([timeout('alone', '8s'), timeout('alone', '0'), timeout('write')]).toEqual([
    '8000',
    '0',
    String(limits.statementMs),
  ])
  expect([timeout('shared', '8s'), timeout('shared', '0'), timeout('shared', '200ms')]).toEqual(['1000', '1000', '200'])
})

test('a role’s settings cannot change what a lane stands on', () => {
  const own = [
    ['role', 'postgres'],
    ['Default_Transaction_Read_Only', 'off'],
    ['search_path', 'a'],
  ] as const
  const settings = toSessionSettings(limits, { role: 'anon', kind: 'alone' }, own)
  expect(settings.filter(([name]) => name.toLowerCase() === 'default_transaction_read_only')).toEqual([
    ['default_transaction_read_only', 'on'],
  ])
  expect(settings.filter(([name]) => name === 'role')).toEqual([['role', 'anon']])
  expect(settings).toContainEqual(['search_path', 'a'])
})
