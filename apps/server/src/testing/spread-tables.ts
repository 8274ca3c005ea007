import { nameKey, type QualifiedName } from '@pando/catalogue/catalogue'
import { createDatabase } from '@pando/postgres/database'
import type { TestDatabase } from '@pando/postgres/testing/database'
import { applyStatements } from '@pando/sharding/apply'
import { readShardFacts, type ShardFacts } from '@pando/sharding/facts'
import { planShards } from '@pando/sharding/plan-shards'
import { isApplicable, type ShardDeclaration, type ShardPlan } from '@pando/sharding/shard-plan'
import { toStatements } from '@pando/sharding/statements'
import { stubCitus } from '@pando/sharding/testing/stub-citus'

/**
 * Makes every table that can be one a reference table: on all servers, each of which policies are told to. For tests that
 * know nothing of shards, where they run on Citus.
 */
export const copyTables = (database: TestDatabase): Promise<void> =>
  spread(database, (facts) => planMost(facts, new Set()))

/** Spreads tables as a project declares; on a server without Citus a stub of it takes note. */
export async function spreadTables(database: TestDatabase, declaration: ShardDeclaration): Promise<void> {
  if (!isOnCitus) await database.run(stubCitus)
  await spread(database, (facts) => planShards(facts, declaration))
}

export const isOnCitus = process.env['PANDO_TEST_CITUS_URL'] !== undefined

async function spread(database: TestDatabase, plan: (facts: ShardFacts) => ShardPlan): Promise<void> {
  const admin = createDatabase({ url: database.url, applicationName: 'test', connectionsMax: 2 })
  const schemas = await admin.query<{ name: string }>(listSchemas)
  const facts = await readShardFacts(
    admin,
    schemas.map(({ name }) => name),
  )
  await applyStatements(admin, toStatements(plan(facts)), () => undefined)
  await admin.close()
}

const listSchemas = `
  select distinct relnamespace::regnamespace::text as name
  from pg_catalog.pg_class where relkind in ('r', 'p') and pg_catalog.pg_get_userbyid(relowner) = 'postgres'`

/** What stands in the way stays, and so does what that points at. */
function planMost(facts: ShardFacts, staying: ReadonlySet<string>): ShardPlan {
  const declared = ({ schema, name }: QualifiedName): string => `${schema}.${name}`
  const [local, reference] = [true, false].map((isStaying) =>
    facts.tables.filter((table) => staying.has(nameKey(table)) === isStaying).map(declared),
  )
  const plan = planShards(facts, { key: null, keys: new Map(), local: local!, reference: reference! })
  if (isApplicable(plan)) return plan
  const refused = plan.tables.filter(({ obstacles }) => obstacles.length > 0).map(nameKey)
  const targets = facts.foreignKeys.filter(({ from }) => staying.has(nameKey(from))).map(({ to }) => nameKey(to))
  return planMost(facts, new Set([...staying, ...refused, ...targets]))
}
