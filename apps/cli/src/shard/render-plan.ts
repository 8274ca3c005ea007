import type { Cluster } from '@pando/sharding/cluster'
import { shownName } from '@pando/sharding/names'
import { isApplicable, type TablePlan } from '@pando/sharding/shard-plan'

import { formatCount, formatTable } from '../terminal/format.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Planned } from './read-plan.ts'

/** The plan for people: a table, then what stands in the way and what to do, then what will be different. */
export function renderPlan(terminal: Terminal, planned: Planned): string {
  const { plan, cluster, statements } = planned
  const rows = plan.tables.map((table) => [shownName(table), describePlace(table), stateOf(table), table.why])
  const dim = (text: string): string => `    ${terminal.paint('dim', text)}`
  const obstacles = [
    ...plan.mistakes.map((mistake) => ({ what: mistake, remedy: 'Correct [shard] in config.toml.' })),
    ...plan.tables.flatMap((table) =>
      table.obstacles.map(({ why, remedy }) => ({ what: `${shownName(table)}: ${why}`, remedy })),
    ),
    ...listRefusals(cluster),
  ].flatMap(({ what, remedy }) => [`${terminal.paint('red', '✗')} ${what}`, dim(remedy)])
  const notes = [
    ...plan.tables.flatMap((table) => table.notes.map((note) => `${shownName(table)}: ${note}`)),
    ...(cluster === undefined ? ['This server has no Citus: the plan is for one that has.'] : []),
  ].map((note) => `${terminal.paint('yellow', '!')} ${note}`)
  const parts = [
    formatTable(['Table', 'Place', 'State', 'Why'], rows),
    obstacles,
    notes,
    [summaryOf(isReady(planned), statements.length)],
  ]
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

/** Whether nothing stands in the way, neither of the tables nor of their callers. */
export const isReady = (planned: Planned): boolean =>
  isApplicable(planned.plan) && listRefusals(planned.cluster).length === 0

/** Roles that may log in and are not let in all the same. */
export function listRefusals(cluster: Cluster | undefined): readonly { what: string; remedy: string }[] {
  const refused = cluster?.logins.filter(({ mayLogIn, refusals }) => mayLogIn && refusals.length > 0) ?? []
  return refused.map(({ role, refusals }) => ({
    what: `Citus cannot log in to the workers as ${role}, so callers of that role get no rows: ${refusals[0]}`,
    remedy: `Let the coordinator in as ${role}: pg_hba.conf on the workers, or a row of pg_dist_authinfo with its password.`,
  }))
}

function describePlace({ place, colocateWith }: TablePlan): string {
  if (place.kind !== 'distributed') return place.kind
  return `by ${place.key}${colocateWith === undefined ? '' : `, beside ${shownName(colocateWith)}`}`
}

function stateOf({ isDone, obstacles }: TablePlan): string {
  if (obstacles.length > 0) return 'refused'
  return isDone ? 'done' : 'to do'
}

function summaryOf(mayApply: boolean, count: number): string {
  if (!mayApply) return 'Nothing is run while something stands in the way.'
  return count === 0 ? 'Nothing to do.' : `${formatCount(count, 'statement')} to run: pando shard apply`
}
