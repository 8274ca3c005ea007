import type { Caller } from '@pando/core/caller'
import { createDatabase, type Database } from '@pando/postgres/database'
import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createChangeStore } from '../change-store.ts'
import type { ChangesPort, Verdict } from '../deps.ts'
import type { TableFacts } from '../facts.ts'
import { probeTable, randomClaims, randomPolicies, randomRow, type RandomPolicy } from '../testing/policy-grammar.ts'
import { openWriter, type Row, type Writer } from '../testing/written-changes.ts'
import { toDependencies } from '@pando/catalogue/policies/dependencies'
import { toPolicyClaims } from '@pando/catalogue/policies/policy-claims'
import { createGrouping } from './grouping.ts'
import { compilePolicies, type ParsedPolicy, type Predicate } from './compile.ts'
import { parseExpressions } from '@pando/catalogue/policies/syntax'

const seed = Number(process.env['PANDO_TEST_SEED'] ?? 1)
const isLong = process.env['PANDO_TEST_LONG'] === '1'
const again = `PANDO_TEST_SEED=${seed} repeats this run`

let database: TestDatabase
let api: Database
let port: ChangesPort
let writer: Writer
let rows: readonly Row[]
let callers: readonly Caller[]

beforeAll(async () => {
  database = await createTestDatabase({ sql: probeTable })
  api = createDatabase({ url: database.apiUrl, applicationName: 'test' })
  port = createChangeStore({ database: api, publication: 'supabase_realtime' })
  writer = await openWriter(database, 'public.probe')
  rows = fc.sample(randomRow, { seed, numRuns: 30 }).map((row, at) => ({ ...row, id: String(at) }))
  callers = fc.sample(randomClaims, { seed, numRuns: 16 }).map((claims) => {
    return { role: 'authenticated', claims, claimsJson: JSON.stringify(claims) }
  })
  const columns = writer.relation.columns.map(({ name }) => name)
  for (const row of rows) {
    const places = columns.map((_, at) => `$${at + 1}`).join(', ')
    await database.query(
      `insert into public.probe (${columns.join(', ')}) values (${places})`,
      columns.map((name) => row[name]),
    )
  }
})
afterAll(async () => {
  await api.close()
  await database.close()
})

async function setPolicies(policies: readonly RandomPolicy[]): Promise<TableFacts> {
  const names = await database.query<{ polname: string }>(
    `select polname from pg_policy where polrelid = 'public.probe'::regclass`,
  )
  const drops = names.map(({ polname }) => `drop policy ${polname} on public.probe;`)
  const creates = policies.map(({ isPermissive, using }, at) => {
    return `create policy p${at} on public.probe as ${isPermissive ? 'permissive' : 'restrictive'} for select using (${using});`
  })
  await database.run([...drops, ...creates].join('\n'))
  return (await port.findTable('public', 'probe', 'authenticated'))!
}

async function compile(facts: TableFacts): Promise<Predicate | undefined> {
  const expressions = await parseExpressions(facts.policies.map(({ using }) => using))
  const parsed: ParsedPolicy[] = facts.policies.map((policy, at) => ({ ...policy, expression: expressions[at] }))
  return compilePolicies(parsed, facts, writer.relation)
}

/** What Postgres shows under row security, one list for each row. */
function askPostgres(facts: TableFacts): Promise<readonly (readonly Verdict[])[]> {
  const asked = callers.map(({ role, claimsJson: claims }) => ({ role, claims }))
  return port.checkRows(
    rows.map(({ id }) => ({ kind: 'row', table: facts.oid, key: [['id', id!]], same: [], callers: asked })),
  )
}

type Tally = { pairs: number; decided: number; visible: number; compiled: number; readonly differences: string[] }

type Plant = (facts: TableFacts) => TableFacts

/** Compares every pair of row and caller. `plant` spoils what the compiler gets; then the first difference is enough. */
async function compare(policySets: number, plant?: Plant): Promise<Tally> {
  const tally: Tally = { pairs: 0, decided: 0, visible: 0, compiled: 0, differences: [] }
  for (const policies of fc.sample(randomPolicies, { seed, numRuns: policySets })) {
    const facts = await setPolicies(policies)
    const predicate = await compile(plant?.(facts) ?? facts)
    if (predicate === undefined) continue
    tally.compiled += 1
    for (const [at, verdicts] of (await askPostgres(facts)).entries())
      compareRow(tally, { predicate, facts, at, verdicts })
    if (plant !== undefined && tally.differences.length > 0) return tally
  }
  return tally
}

type Compared = {
  readonly predicate: Predicate
  readonly facts: TableFacts
  readonly at: number
  readonly verdicts: readonly Verdict[]
}

/** Postgres has an internal error (XX000), as its planner does of some clauses without a variable: it says nothing of the row. */
const isBroken = (verdict: Verdict): boolean =>
  verdict !== null && typeof verdict === 'object' && verdict.error.startsWith('XX000')

function compareRow(tally: Tally, { predicate, facts, at, verdicts }: Compared): void {
  const { row } = writer.insert(rows[at]!)
  for (const [who, verdict] of verdicts.entries()) {
    const decided = predicate(row!, toPolicyClaims(callers[who]!))
    tally.pairs += 1
    if (decided === undefined || isBroken(verdict)) continue
    tally.decided += 1
    if (decided) tally.visible += 1
    if (decided === verdict) continue
    const texts = facts.policies.map(({ isPermissive, using }) => `${isPermissive ? 'or' : 'and'} ${using}`)
    tally.differences.push(
      `${texts.join('\n')}\n${JSON.stringify(rows[at])} ${callers[who]!.claimsJson}: ${decided}, Postgres ${JSON.stringify(verdict)}`,
    )
  }
}

describe('compiled policies', () => {
  test(`say what Postgres says, for 20,000 decided pairs of row and caller (${again})`, async () => {
    const tally = await compare(isLong ? 1600 : 90)
    expect(tally.differences.slice(0, 3)).toEqual([])
    expect(tally.decided).toBeGreaterThan(20_000)
    expect(tally.visible).toBeGreaterThan(tally.decided / 10)
    expect(tally.compiled).toBeGreaterThan(75)
  }, 1_800_000)

  const flip = (facts: TableFacts): TableFacts => ({
    ...facts,
    policies: facts.policies.map((policy) => ({ ...policy, isPermissive: true })),
  })
  const spoil =
    (from: RegExp, to: string) =>
    (facts: TableFacts): TableFacts => ({
      ...facts,
      policies: facts.policies.map((policy) => ({ ...policy, using: policy.using.replace(from, to) })),
    })
  test.each([
    ['restrictive taken for permissive', flip],
    ['one policy too few', (facts: TableFacts) => ({ ...facts, policies: facts.policies.slice(1) })],
    ['and taken for or', spoil(/ AND /, ' OR ')],
    ['a null that is not unknown', spoil(/<>/, 'IS DISTINCT FROM')],
    ['another claim', spoil(/'org'/, "'email'")],
  ])(
    'the comparison finds a planted bug: %s',
    async (_, plant) => {
      expect((await compare(60, plant)).differences.length).toBeGreaterThan(0)
    },
    300_000,
  )
})

/** Policies that do not compile, and say all the more about what they look at. */
const opaque = [
  `exists (select from public.probe_people p where p.person = auth.uid())`,
  `exists (select from public.probe_guarded)`,
  `exists (select from public.probe_view)`,
  `public.probe_says() = t`,
  `coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::json ->> 'org' = t`,
  `length(auth.jwt() ->> 'email') > 1 or lower(auth.role()) = t`,
  `auth.jwt() @> '{"org": "x"}'`,
  `(auth.jwt() -> 'app' ->> 'tier') like t || '%'`,
]

describe('callers of one claims group', () => {
  beforeAll(async () => {
    await database.run(`
      create table public.probe_people (person uuid);
      insert into public.probe_people values ('00000000-0000-4000-8000-00000000000a');
      create table public.probe_guarded (org text);
      insert into public.probe_guarded values ('x'), ('7');
      alter table public.probe_guarded enable row level security;
      create policy p on public.probe_guarded using (org = auth.jwt() ->> 'org');
      create view public.probe_view as select where auth.jwt() ->> 'org' = 'x';
      create function public.probe_says() returns text language sql as $$ select auth.jwt() ->> 'org' $$;
      grant select on public.probe_people, public.probe_guarded, public.probe_view to authenticated;`)
  })

  test(`see the same rows, whatever the policies are (${again})`, async () => {
    let shared = 0
    const random = fc.sample(randomPolicies, { seed: seed + 1, numRuns: isLong ? 300 : 30 })
    const known = opaque.map((using) => [{ isPermissive: true, using }])
    for (const policies of [...known, ...random]) {
      const facts = await setPolicies(policies)
      const expressions = await parseExpressions(facts.policies.map(({ using }) => using))
      const groupOf = createGrouping(toDependencies(expressions, facts))
      const groups = Map.groupBy(callers.keys(), (at) => groupOf(callers[at]!))
      for (const verdicts of await askPostgres(facts)) {
        for (const members of groups.values()) {
          shared += members.length - 1
          const seen = new Set(members.map((at) => JSON.stringify(verdicts[at])))
          expect([...seen], facts.policies.map(({ using }) => using).join()).toHaveLength(1)
        }
      }
    }
    expect(shared).toBeGreaterThan(1000)
  }, 1_800_000)
})
