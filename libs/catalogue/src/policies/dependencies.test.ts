import { expect, test } from 'vitest'
import { type PolicyScope, toDependencies } from './dependencies.ts'
import { parseExpressions } from './syntax.ts'

const facts: PolicyScope = {
  columns: ['id', 'owner', 'org', 'room'].map((name) => ({ name })),
  readsGuarded: false,
  claimFunctions: ['uid', 'role', 'email', 'jwt'],
}

async function find(using: string, more: Partial<PolicyScope> = {}): Promise<{ claims: unknown; columns: unknown }> {
  const { claims, columns } = toDependencies(await parseExpressions([using]), { ...facts, ...more })
  const list = (names: ReadonlySet<string> | 'all'): unknown => (names === 'all' ? names : [...names])
  return { claims: list(claims), columns: list(columns) }
}

test.each([
  ['true', [], []],
  ['(owner = auth.uid())', ['sub'], ['owner']],
  ['(owner = ( SELECT auth.uid() AS uid))', ['sub'], ['owner']],
  [`(auth.email() = lower((owner)::text))`, ['email'], ['owner']],
  [`((auth.jwt() ->> 'org'::text) = org)`, ['org'], ['org']],
  [`((( SELECT auth.jwt() AS jwt) -> 'app'::text) ->> 'x'::text) = 'y'::text`, ['app'], []],
  [`(((current_setting('request.jwt.claims'::text, true))::json ->> 'org'::text) = org)`, ['org'], ['org']],
  [
    `(EXISTS ( SELECT 1 FROM public.members m WHERE ((m.room = notes.room) AND (m.person = auth.uid()))))`,
    ['sub'],
    ['room'],
  ],
  [`(current_setting('request.jwt.claims'::text) = 'x'::text)`, 'all', []],
  [`(current_setting('Request.JWT.Claims'::text) = 'x'::text)`, 'all', []],
  [`(current_setting(org) = 'x'::text)`, 'all', ['org']],
  [`(current_setting('app.mode'::text) = 'x'::text)`, [], []],
  ['(auth.jwt() IS NOT NULL)', 'all', []],
  ['private.may_see(room)', 'all', ['room']],
  ['(org OPERATOR(public.=) owner)', 'all', ['org', 'owner']],
  [`((org)::public.mood = 'x'::public.mood)`, 'all', ['org']],
  ['lower((notes.*)::text) IS NULL', [], 'all'],
  ['(notes.* IS NOT NULL)', [], 'all'],
  ['this is no expression', 'all', 'all'],
])('%s looks at claims %j and columns %j', async (using, claims, columns) => {
  expect(await find(using)).toEqual({ claims, columns })
})

test('a function that was replaced may look at every claim', async () => {
  expect(await find('(owner = auth.uid())', { claimFunctions: ['role'] })).toEqual({
    claims: 'all',
    columns: ['owner'],
  })
})

test('tables with policies of their own may look at every claim', async () => {
  expect(await find('(EXISTS ( SELECT 1 FROM public.members))', { readsGuarded: true })).toMatchObject({
    claims: 'all',
  })
})

test.each([
  ['(owner = auth.uid())', undefined, false],
  [`((auth.jwt() ->> 'org'::text) = org)`, undefined, false],
  [`(org = 'a'::public.mood)`, undefined, false],
  [`(EXISTS ( SELECT 1 FROM public.members m WHERE (m.person = auth.uid())))`, undefined, false],
  ['(CURRENT_USER = org)', undefined, false],
  [`((auth.jwt() ->> 'until'::text) = '2030-01-01 00:00:00+00'::timestamp with time zone::text)`, undefined, false],
  ['private.may_see(room)', 'private.may_see', false],
  ['(org OPERATOR(public.=) owner)', 'public.=', false],
  ['((org)::public.mood = org)', 'public.mood', false],
  [`(current_setting('request.headers'::text) = org)`, 'current_setting', false],
  ['(current_setting(org) = org)', 'current_setting', false],
  [`(EXISTS ( SELECT 1 FROM pg_roles WHERE (pg_roles.rolname = notes.org)))`, 'pg_roles', false],
  ['(random() < 0.5)', 'random', false],
  ['this is no expression', 'an unknown expression', true],
  ['(room <= now())', undefined, true],
  ['(room <= CURRENT_DATE)', undefined, true],
  [`(age(room) > '1 day'::interval)`, undefined, true],
  ['((org)::timestamp with time zone > room)', undefined, true],
])('%s: what may look at anything is %j, and it asks for the time: %j', async (using, opaque, asksTime) => {
  expect(toDependencies(await parseExpressions([using]), facts)).toMatchObject({ opaque, asksTime })
})
