import { expect, test } from 'vitest'
import { parseClaimPath } from './claim-path.ts'

const claims = {
  role: 'reader',
  postgrest: { roles: ['other', 'author', 7] },
  'https://www.example.com/role': { key: 'editor' },
  a_b$c: { '@x': 'odd' },
}

test.each([
  ['.role', 'reader'],
  ['.postgrest.roles[1]', 'author'],
  ['.postgrest.roles[2]', 7],
  ['.postgrest.roles[9]', undefined],
  ['."https://www.example.com/role".key', 'editor'],
  ['.a_b$c.@x', 'odd'],
  ['.postgrest.roles[?(@ == "author")]', 'author'],
  ['.postgrest.roles[?(@ != "other")]', 'author'],
  ['.postgrest.roles[?(@ ^== "aut")]', 'author'],
  ['.postgrest.roles[?(@ ==^ "hor")]', 'author'],
  ['.postgrest.roles[?(@*=="utho")]', 'author'],
  ['.postgrest.roles[?(@ == "nobody")]', undefined],
  ['.role.length', undefined],
  ['.constructor', undefined],
  ['.missing.role', undefined],
])('%s finds %j', (path, found) => {
  expect(parseClaimPath(path)!(claims)).toBe(found)
})

test.each(['', 'role', '.', '.a[', '.a[-1]', '.a..b', '.a[?(@ == "x")].b', '.a[?(@ ~ "x")]', '.a b', '."open'])(
  '%j is no path',
  (path) => {
    expect(parseClaimPath(path)).toBeUndefined()
  },
)
