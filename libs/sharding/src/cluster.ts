import type { Database, Queries } from '@pando/postgres/database'
import { escapeIdentifier } from 'pg'
import { findCitus } from './facts.ts'

/** The Citus cluster of a coordinator. */
export type Cluster = {
  /** Of the extension. */
  readonly version: string
  readonly workers: readonly Worker[]
  readonly logins: readonly Login[]
}

export type Worker = { readonly name: string; readonly port: number; readonly isActive: boolean }

/** Whether Citus can answer callers of a role: it logs in to the workers as that role. */
export type Login = {
  readonly role: string
  readonly mayLogIn: boolean
  /** What workers said, with their names; none where all let it in. */
  readonly refusals: readonly string[]
}

/** Undefined on a server without Citus. */
export async function readCluster(database: Database): Promise<Cluster | undefined> {
  const [{ isThere } = { isThere: false }] = await database.query<{ isThere: boolean }>(findCitus)
  if (!isThere) return undefined
  const [extension] = await database.query<{ version: string }>(findVersion)
  const workers = await database.query<Worker>(listWorkers)
  const roles = await database.query<{ role: string; mayLogIn: boolean }>(listRoles)
  const logins: Login[] = []
  for (const { role, mayLogIn } of roles) {
    const refusals = await database.transaction((transaction) => tryLogin(transaction, role))
    logins.push({ role, mayLogIn, refusals })
  }
  return { version: extension?.version ?? '', workers, logins }
}

async function tryLogin(transaction: Queries, role: string): Promise<string[]> {
  await transaction.query(`set local role ${escapeIdentifier(role)}`)
  const answers = await transaction.query<{ worker: string; success: boolean; result: string }>(askWorkers)
  return answers.filter(({ success }) => !success).map(({ worker, result }) => `${worker}: ${result.trim()}`)
}

const findVersion = `select extversion as version from pg_catalog.pg_extension where extname = 'citus'`

const listWorkers = `
select nodename as name, nodeport as port, isactive as "isActive"
from pg_catalog.pg_dist_node
where noderole = 'primary' and shouldhaveshards
order by nodename, nodeport`

/** The roles of callers: what `authenticator` becomes, without the owners of services' own tables. */
const listRoles = `
select role.rolname as role, role.rolcanlogin as "mayLogIn"
from pg_catalog.pg_auth_members member
join pg_catalog.pg_roles role on role.oid = member.roleid
where member.member = 'authenticator'::regrole and role.rolname !~ '^supabase_'
order by role.rolname`

const askWorkers = `
select nodename || ':' || nodeport as worker, success, result
from pg_catalog.run_command_on_workers('select 1')`
