import { escapeIdentifier, escapeLiteral } from 'pg'
import type { Cluster } from './cluster.ts'
import { quotedName, shownName } from './names.ts'
import type { ShardPlan, TablePlan } from './shard-plan.ts'

/** One statement of a plan. Each is a transaction of its own, and leaves nothing half done. */
export type ShardStatement = {
  /** What it does, for people: `bookings: distributed by tenant_id`. */
  readonly about: string
  readonly text: string
}

/** What is left to do, in order. A plan that was applied in part gives the rest. */
export function toStatements({ tables }: ShardPlan, logins: Cluster['logins'] = []): ShardStatement[] {
  return [
    ...logins.filter(({ mayLogIn }) => !mayLogIn).map(({ role }) => toLogin(role)),
    ...tables.filter(({ isDone, place }) => !isDone && place.kind !== 'local').map(toPlacement),
  ]
}

/** Citus answers a caller's request by logging in to the other servers as the caller's role. */
function toLogin(role: string): ShardStatement {
  return {
    about: `${role}: may log in, as Citus does on the workers`,
    text: `alter role ${escapeIdentifier(role)} login`,
  }
}

function toPlacement(table: TablePlan): ShardStatement {
  const { place, colocateWith } = table
  const name = escapeLiteral(quotedName(table))
  if (place.kind !== 'distributed') {
    return { about: `${shownName(table)}: on every server`, text: `select pg_catalog.create_reference_table(${name})` }
  }
  const beside = colocateWith === undefined ? 'none' : quotedName(colocateWith)
  return {
    about: `${shownName(table)}: by ${place.key}${colocateWith === undefined ? '' : `, beside ${shownName(colocateWith)}`}`,
    text: `select pg_catalog.create_distributed_table(${name}, ${escapeLiteral(place.key)}, colocate_with => ${escapeLiteral(beside)})`,
  }
}
