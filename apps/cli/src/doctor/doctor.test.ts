import { describe, expect, it } from 'vitest'

import { toFindings } from './database-checks.ts'
import { checkNode } from './machine-checks.ts'

const now = 1_800_000_000_000
const healthy = {
  version: '18.4',
  version_number: 180_004,
  wal_level: 'logical',
  now_ms: String(now),
  roles: ['anon', 'authenticated', 'service_role', 'authenticator', 'postgres'],
  extensions: ['pgcrypto', 'uuid-ossp', 'pg_stat_statements'],
  empty_extensions: new Array<string>(),
}
const badOnes = (facts: Partial<typeof healthy>) =>
  toFindings('here', { ...healthy, ...facts }, now).filter(({ state }) => state !== 'ok')

describe('toFindings', () => {
  it('finds nothing wrong with a healthy database', () => {
    expect(badOnes({})).toEqual([])
  })

  it.each([
    ['database', { version: '14.9', version_number: 140_009 }],
    ['wal_level', { wal_level: 'replica' }],
    ['roles', { roles: ['anon'] }],
    ['extensions', { extensions: [] }],
    ['extensions', { empty_extensions: ['pg_graphql'] }],
    ['clock', { now_ms: String(now - 31_000) }],
  ])('finds what is wrong with the %s, and only that, and says what to do', (subject, facts) => {
    expect(badOnes(facts)).toEqual([
      expect.objectContaining({ subject, remedy: expect.stringMatching(/\S/) as string }),
    ])
  })
})

it('tells an old Node from a good one', () => {
  expect([checkNode('20.19.0').state, checkNode('26.10.0').state]).toEqual(['fail', 'ok'])
})
