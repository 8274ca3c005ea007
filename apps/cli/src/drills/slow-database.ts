import { checkEvents, checkWrites } from './checks.ts'
import type { Drill } from './drill.ts'
import { p99Of, round, secondsUntilNormal, within } from './load/figures.ts'
import { underTraffic } from './traffic.ts'

/** How long each read takes while the database is slow: as many as come in a second are more than can be run at once. */
const slowSeconds = 0.5
/** What takes longer than this many times the usual is not as before. */
const usualFactor = 3
/** A machine that does nothing answers in less, and a stall of the machine is none of the database. */
const usualMsMin = 50

/** A database that is slow, and then one that does not answer at all. */
export const slowDatabase: Drill = {
  name: 'slow-database',
  about: 'the database is slow, then stands still: all is as before by itself, although people try again three times',
  needs: {},
  async run(stage) {
    const { fleet, rounds, seconds, step, wait } = stage
    const { database } = fleet
    let healedMs = 0
    const found = await underTraffic(stage, {
      retries: 3,
      read: '/rest/v1/rpc/drill_work',
      async strike(load) {
        for (let count = 0; count < rounds; count += 1) {
          step(`every read takes ${slowSeconds} s in the database`)
          await database.setPace(slowSeconds)
          await wait(seconds)
          await database.setPace(0)
          step('the database is as quick as before')
          await wait(seconds)
          step('every process of the database stands still')
          const thaw = await database.freeze()
          await wait(seconds)
          thaw()
          healedMs = load.nowMs()
          step('the database goes on')
        }
      },
    })
    const before = within(found.sent, { name: 'before', fromMs: 0, toMs: found.troubleMs.fromMs })
    const usualMs = Math.max(usualMsMin, usualFactor * p99Of(before))
    const normal = secondsUntilNormal(found.sent, { fromMs: healedMs, usualMs })
    const recovery = { name: `answered within ${round(usualMs)} ms again after`, figure: normal ?? null, unit: 's' }
    const checks = [
      { ...recovery, most: 10, isTimed: true },
      ...checkWrites(found.losses),
      ...checkEvents(found.losses),
    ]
    return { ...found, promise: 'It recovers by itself', checks }
  },
}
