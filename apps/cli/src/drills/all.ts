import { badPhones } from './bad-phones.ts'
import type { Drill } from './drill.ts'
import { killNode } from './kill-node.ts'
import { killPrimary } from './kill-primary.ts'
import { loseRedis } from './lose-redis.ts'
import { rollingRestart } from './rolling-restart.ts'
import { slowDatabase } from './slow-database.ts'
import { spike } from './spike.ts'

/** Every drill. Those of one call share a fleet and are done in this order. */
export const drills: readonly Drill[] = [
  spike,
  badPhones,
  killNode,
  slowDatabase,
  loseRedis,
  rollingRestart,
  killPrimary,
]
