import fc from 'fast-check'
import type { Row } from './written-changes.ts'

/** The table that random policies are about. */
export const probeTable = `
create table public.probe (
  id int primary key, a int, b bigint, t text, v varchar(20), u uuid, f boolean, ts text[], us uuid[], ns int[]
);
alter table public.probe enable row level security;
alter publication supabase_realtime add table public.probe;
`

export type RandomPolicy = { readonly isPermissive: boolean; readonly using: string }

const uuids = ['00000000-0000-4000-8000-00000000000a', '00000000-0000-4000-8000-00000000000b']
const texts = ['x', 'y', '', '7', 'true', 'Ä🌲', "o'k", uuids[0]!]
const integers = ['0', '1', '7', '-1', '2147483647']

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
const pick = (...terms: string[]): fc.Arbitrary<string> => fc.constantFrom(...terms)
const join = (...parts: (fc.Arbitrary<string> | string)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((all) => all.join(''))

const text = fc.oneof(
  {
    weight: 4,
    arbitrary: pick('t', 'v::text', 'u::text', 'a::text', 'f::text', `coalesce(t, 'x')`, `coalesce(v, t, auth.role())`),
  },
  { weight: 2, arbitrary: pick(...texts.map(literal)) },
  {
    weight: 4,
    arbitrary: pick(
      'auth.role()',
      'auth.email()',
      '(select auth.email())',
      `auth.jwt() ->> 'org'`,
      `auth.jwt() -> 'app' ->> 'tier'`,
      `(select auth.jwt()) ->> 'n'`,
      `current_setting('request.jwt.claims', true)::json ->> 'org'`,
      `auth.uid()::text`,
    ),
  },
)
const integer = fc.oneof(
  { weight: 4, arbitrary: pick('a', 'b', 'a::bigint') },
  { weight: 3, arbitrary: pick(...integers, '9999999999', `'-3'::int`) },
  { weight: 2, arbitrary: pick(`(auth.jwt() ->> 'n')::int`, `(auth.jwt() -> 'app' ->> 'level')::bigint`) },
  { weight: 1, arbitrary: pick('t::int', 'b::int') },
)
const uuid = fc.oneof(
  { weight: 3, arbitrary: pick('u') },
  { weight: 3, arbitrary: pick('auth.uid()', '(select auth.uid())', `(auth.jwt() ->> 'sub')::uuid`) },
  { weight: 1, arbitrary: pick(`'${uuids[1]}'::uuid`, 't::uuid') },
)
const equality = pick(' = ', ' <> ', ' is distinct from ', ' is not distinct from ')
const order = pick(' = ', ' <> ', ' < ', ' <= ', ' > ', ' >= ')
const list = (of: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.array(of, { minLength: 1, maxLength: 3 }).map((all) => `(${all.join(', ')})`)

const condition = fc.oneof(
  { weight: 3, arbitrary: join('(', text, ')', equality, '(', text, ')') },
  { weight: 3, arbitrary: join('(', integer, ')', order, '(', integer, ')') },
  { weight: 3, arbitrary: join('(', uuid, ')', order, '(', uuid, ')') },
  {
    weight: 1,
    arbitrary: pick('f', 'true', 'false', 'f = true', 'f <> (a = 1)', 'f is true', 'f is not false', 'f is unknown'),
  },
  { weight: 2, arbitrary: join('(', fc.oneof(text, integer, uuid), ') is ', pick('', 'not '), 'null') },
  { weight: 1, arbitrary: join('t ', pick('in ', 'not in '), list(text)) },
  { weight: 1, arbitrary: join('v ', pick('in ', 'not in '), list(pick(...texts.map(literal)))) },
  { weight: 1, arbitrary: join('a ', pick('in ', 'not in '), list(pick(...integers, 'a'))) },
  { weight: 1, arbitrary: join('(', text, ') = any (ts)') },
  { weight: 1, arbitrary: join('(', uuid, ') ', pick('= any', '<> all'), ' (us)') },
  { weight: 1, arbitrary: join('(', integer, ') ', pick('> any', '<> all', '= any'), ' (ns)') },
  { weight: 1, arbitrary: join('t = any (', pick(`'{x,y,NULL}'`, `'{}'`), '::text[])') },
  {
    weight: 1,
    arbitrary: join(
      pick(`auth.jwt()`, `auth.jwt() -> 'roles'`, `(auth.jwt() -> 'app') -> 'roles'`),
      ` ? `,
      pick(`'x'`, `'org'`, `'admin'`),
    ),
  },
)

const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, depthSize: 'medium' },
    { weight: 5, arbitrary: condition },
    { weight: 2, arbitrary: join('(', tie('expression'), ' and ', tie('expression'), ')') },
    { weight: 2, arbitrary: join('(', tie('expression'), ' or ', tie('expression'), ')') },
    { weight: 1, arbitrary: join('not (', tie('expression'), ')') },
  ),
}))

/** One to three policies, mostly permissive. */
export const randomPolicies: fc.Arbitrary<readonly RandomPolicy[]> = fc.array(
  fc.record({ isPermissive: fc.boolean().map((flag) => flag), using: expression }),
  { minLength: 1, maxLength: 3 },
)

const orNull = (value: fc.Arbitrary<string>): fc.Arbitrary<string | null> => fc.option(value, { freq: 4, nil: null })
const elements = (of: readonly string[]): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom(...of, 'NULL'), { maxLength: 3 }).map((all) => `{${all.join(',')}}`)

/** Values as Postgres prints them. */
export const randomRow: fc.Arbitrary<Row> = fc.record({
  a: orNull(pick(...integers)),
  b: orNull(pick('1', '7', '2147483648', '9223372036854775807', '9999999999')),
  t: orNull(pick(...texts)),
  v: orNull(pick(...texts.slice(0, 7))),
  u: orNull(pick(...uuids)),
  f: orNull(pick('t', 'f')),
  ts: orNull(elements(['x', 'y', '7'])),
  us: orNull(elements(uuids)),
  ns: orNull(elements(integers)),
})

const claim = fc.oneof(
  fc.constantFrom<unknown>(...texts, ...uuids, null, true, 7, 1, 1.5, 2 ** 60),
  fc.constant(['x', 'admin']),
)

/** Claims of tokens, also odd ones. */
export const randomClaims: fc.Arbitrary<Readonly<Record<string, unknown>>> = fc.record(
  {
    role: fc.constant('authenticated'),
    sub: fc.oneof({ weight: 6, arbitrary: fc.constantFrom<unknown>(...uuids) }, { weight: 1, arbitrary: claim }),
    email: claim,
    org: claim,
    n: fc.constantFrom<unknown>('7', 7, 0, '-1', 'x', null),
    roles: fc.constantFrom<unknown>(['admin', 'x'], 'x', {}, { x: 1 }),
    app: fc.record(
      { tier: claim, level: fc.constantFrom<unknown>(1, '7'), roles: fc.constant(['admin']) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['role'] },
)
