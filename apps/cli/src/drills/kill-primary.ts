import type { TestServer } from '@pando/postgres/testing/replicated-cluster'
import { setTimeout as sleep } from 'node:timers/promises'

import { checkEvents, checkWrites, none } from './checks.ts'
import type { Check, Drill } from './drill.ts'
import type { DrillDatabase } from './fleet/database.ts'
import { lastId } from './fleet/database.ts'
import { round } from './load/figures.ts'
import type { Sent } from './load/open-loop.ts'
import { underTraffic } from './traffic.ts'

/** The primary dies, its synchronous replica is promoted, and the old one comes back as if nothing had happened. */
export const killPrimary: Drill = {
  name: 'kill-primary',
  about: 'the primary is killed and a synchronous replica promoted: no write is lost, and the old primary gets none',
  needs: { replica: true },
  async run(stage) {
    const { fleet, rounds, seconds, step, wait } = stage
    const { database } = fleet
    const killedMs: number[] = []
    let strays = 0
    const found = await underTraffic(stage, {
      async strike(load) {
        for (let count = 0; count < rounds; count += 1) {
          const [old, next] = choose(database)
          await replicateSynchronously(old)
          step('every write waits for the replica; the primary is killed and the replica promoted')
          killedMs.push(load.nowMs())
          await old.kill()
          await next.promote()
          database.moveTo(next)
          await wait(seconds / 2)
          step('the old primary comes back, and nobody has told it')
          strays += await countStrays(old, () => wait(seconds / 2))
          await old.rebuild(next)
          await old.start()
          step('it is a replica of the new one')
          await wait(seconds / 2)
        }
      },
    })
    const gaps = killedMs.map((atMs) => writeGap(found.sent, atMs))
    const longest = gaps.includes(undefined) ? null : round(Math.max(...gaps.map(Number)))
    const gap: Check = { name: 'longest time without a write', figure: longest, unit: 's', most: 3, isTimed: true }
    const checks = [
      ...checkWrites(found.losses),
      gap,
      none('writes that the old primary took', strays),
      ...checkEvents(found.losses),
    ]
    return { ...found, promise: 'A failover loses nothing', checks }
  },
}

/** The primary and the other one. */
function choose({ primary, replica, current }: DrillDatabase): readonly [TestServer, TestServer] {
  return current() === primary ? [primary, replica!] : [replica!, primary]
}

const triesMax = 1_200
const pauseMs = 50

async function replicateSynchronously(primary: TestServer): Promise<void> {
  await primary.query(`alter system set synchronous_standby_names = '*'`)
  await primary.query('select pg_reload_conf()')
  for (let tries = 0; tries < triesMax; tries += 1) {
    const rows = await primary.query(`select from pg_stat_replication where sync_state = 'sync'`)
    if (rows.length > 0) return
    await sleep(pauseMs)
  }
  throw new Error('The replica does not follow its primary')
}

/** Rows that a primary which was replaced takes meanwhile. It waits for no replica, so that nothing else would stop one. */
async function countStrays(old: TestServer, meanwhile: () => Promise<void>): Promise<number> {
  await old.start()
  await old.query('alter system reset synchronous_standby_names')
  await old.query('select pg_reload_conf()')
  const before = await lastId(old)
  await meanwhile()
  return (await lastId(old)) - before
}

/** Seconds from the kill to the first write that was acknowledged after it. */
function writeGap(sent: readonly Sent[], killedMs: number): number | undefined {
  const ends = sent.flatMap(({ kind, outcome, dueMs, latencyMs }) =>
    kind === 'write' && outcome === 'answered' && dueMs >= killedMs ? [dueMs + latencyMs] : [],
  )
  return ends.length === 0 ? undefined : (Math.min(...ends) - killedMs) / 1000
}
