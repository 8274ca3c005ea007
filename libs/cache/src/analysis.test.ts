import { expect, test } from 'vitest'
import { analyse, type RelationFacts } from './analysis.ts'

const posts: RelationFacts = {
  oid: 10,
  schema: 'public',
  name: 'posts',
  kind: 'r',
  toldAs: [10],
  isTold: true,
  isKept: true,
  columns: ['id', 'owner', 'org'],
  policies: [],
}
const members: RelationFacts = { ...posts, oid: 11, name: 'members', toldAs: [11, 12], isKept: false }

const find = (...relations: RelationFacts[]) =>
  analyse(posts, { snapshot: '5:7:', stamp: 'as it was', relations, claimSources: {} })

test('a read of kept tables is looked at by those under which the log tells of them', async () => {
  expect(await find(posts, members)).toMatchObject({
    kind: 'readable',
    tables: [10, 11, 12],
    oids: '{10,11}',
    claims: new Set(),
    stamp: 'as it was',
    schema: { xmax: 7n },
  })
})

test('claims of all policies on the way count together', async () => {
  const claim = (name: string): string =>
    `(((current_setting('request.jwt.claims'::text, true))::json ->> '${name}'::text) = org)`
  const found = await find(
    { ...posts, policies: [claim('sub')] },
    { ...members, policies: [claim('org'), claim('sub')] },
  )
  expect(found).toMatchObject({ claims: new Set(['sub', 'org']) })
  const all = await find(posts, { ...members, policies: [`(current_setting('request.jwt.claims'::text) = org)`] })
  expect(all).toMatchObject({ claims: 'all' })
})

test.each<[string, RelationFacts[]]>([
  ['unwanted', []],
  ['unwanted', [{ ...posts, isKept: false }]],
  ['no_table', [posts, { ...members, kind: 'v' }]],
  ['not_published', [posts, { ...members, isTold: false }]],
  ['policy', [posts, { ...members, policies: ['public.may_see(id)'] }]],
  ['policy', [posts, { ...members, policies: [`(current_setting('request.headers'::text) = org)`] }]],
  ['time', [{ ...posts, policies: ['(id < now())'] }]],
  [
    'readable',
    [
      { ...posts, kind: 'p', isTold: false, isKept: true },
      { ...members, kind: 'r' },
    ],
  ],
])('%s', async (expected, relations) => {
  const found = await find(...relations)
  expect(found.kind === 'hindered' ? found.reason.code : found.kind).toBe(expected)
})
