import type { Database, Queries } from '@pando/postgres/database'
import { PostgresError } from '@pando/postgres/errors'
import { errors } from '../errors.ts'

export const functionTimeoutMs = 2_000

/**
 * Asks a function of the database, `(jsonb) returns jsonb`, as `supabase_auth_admin`; in the open transaction or in one
 * of its own. What it writes is kept or undone with that.
 */
export async function callFunction(
  { database, tx }: { readonly database: Database; readonly tx: Queries | undefined },
  target: { readonly schema: string; readonly name: string },
  input: unknown,
): Promise<unknown> {
  const run = (queries: Queries): Promise<unknown> => callWithTimeout(queries, target, input)
  try {
    return await (tx === undefined ? database.transaction(run) : run(tx))
  } catch (error) {
    if (!(error instanceof PostgresError)) throw error
    if (error.fields.code === queryCanceled) throw errors.hookTimeout(functionTimeoutMs)
    throw errors.hookFailed(`pg-functions://postgres/${target.schema}/${target.name}`, error)
  }
}

const queryCanceled = '57014'

async function callWithTimeout(
  queries: Queries,
  { schema, name }: { readonly schema: string; readonly name: string },
  input: unknown,
): Promise<unknown> {
  await queries.query(`set local statement_timeout = ${functionTimeoutMs}`)
  // Both names are identifiers, see `parseHookTarget`.
  const text = `select "${schema}"."${name}"($1::jsonb) as output`
  const [row] = await queries.query<{ output: unknown }>(text, [JSON.stringify(input)])
  await queries.query('set local statement_timeout to default')
  return row?.output
}
