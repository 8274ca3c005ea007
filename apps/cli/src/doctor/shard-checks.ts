import { readCluster } from '@pando/sharding/cluster'

import { withConnections } from '../database/connect.ts'
import type { Database } from '../database/open-database.ts'
import { listRefusals } from '../shard/render-plan.ts'
import { formatCount } from '../terminal/format.ts'
import { ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

/** On a coordinator of Citus: whether the workers let callers in. Nothing elsewhere. */
export async function checkShards({ adminUrl }: Database): Promise<Finding[]> {
  const cluster = await withConnections(adminUrl, readCluster)
  if (cluster === undefined) return []
  const shut = cluster.logins.filter(({ mayLogIn }) => !mayLogIn).map(({ role }) => role)
  if (shut.length > 0) {
    const remedy = 'Run `pando shard apply`, which lets them.'
    return [warn('citus', `may not log in, as Citus does on the workers: ${shut.join(', ')}`, remedy)]
  }
  const refused = listRefusals(cluster).map(({ what, remedy }) => warn('citus', what, remedy))
  if (refused.length > 0) return refused
  return [ok('citus', `${cluster.version}, ${formatCount(cluster.workers.length, 'worker')}`)]
}
