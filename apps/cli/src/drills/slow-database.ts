import { seededRandom } from '@pando/core/testing/seeded-random'

import { checkEvents, checkWrites } from './checks.ts'
import type { Check, Drill, Stage } from './drill.ts'
import type { DrillDatabase } from './fleet/database.ts'
import { callersPerNode, workSeconds } from './fleet/database.ts'
import { findCapacity } from './load/closed-loop.ts'
import type { Phase } from './load/figures.ts'
import { p99Of, round, secondsUntilNormal, toFigures, within } from './load/figures.ts'
import type { Load, Sent } from './load/open-loop.ts'
import { underTraffic } from './traffic.ts'

/** What the database does, while so much of what can be done is asked for. */
type Trouble = {
  readonly name: string
  readonly share: number
  /** Begins it; the returned function ends it. */
  readonly strike: (database: DrillDatabase) => Promise<() => unknown>
}

/** Reads take so many times as long, which is more than can be done at any load. */
const slowFactor = 4

const slow = async (database: DrillDatabase): Promise<() => Promise<void>> => {
  await database.setPace(workSeconds * slowFactor)
  return () => database.setPace(workSeconds)
}

const troubles: readonly Trouble[] = [
  { name: `slow (× ${slowFactor}) at 50 %`, share: 0.5, strike: slow },
  ...[0.5, 0.75, 0.95].map((share) => ({
    name: `frozen at ${share * 100} %`,
    share,
    strike: (database: DrillDatabase) => database.freeze(),
  })),
]

/** A trouble that was: as it is at this load, while it lasts, and from its end on. */
type Struck = { readonly name: string; readonly phases: readonly [calm: Phase, struck: Phase, healed: Phase] }

/** A database that is slow, and one that does not answer at all. */
export const slowDatabase: Drill = {
  name: 'slow-database',
  about: 'the database is slow, then stands still: all is as before by itself, although people try again three times',
  needs: {},
  async run(stage) {
    const { fleet, rounds, seconds, seed, stopped, step } = stage
    const struck: Struck[] = []
    let capacity = 0
    await fleet.database.setPace(workSeconds)
    try {
      const found = await underTraffic(stage, {
        retries: 3,
        read: '/rest/v1/rpc/drill_work',
        async findRate(kinds) {
          const callers = callersPerNode * fleet.nodes.length
          capacity = await findCapacity(kinds, { callers, seconds, random: seededRandom(seed + 2), stopped })
          step(`${round(capacity)} requests a second can be done`)
          return capacity * troubles[0]!.share
        },
        async strike(load) {
          for (let count = 0; count < rounds; count += 1)
            for (const trouble of troubles) {
              load.setRate(capacity * trouble.share)
              struck.push(await suffer(trouble, load, stage))
            }
        },
      })
      const checks = [
        ...troubles.map(({ name }) => judgeRecovery(found.sent, { name, struck })),
        ...checkWrites(found.losses),
        ...checkEvents(found.losses),
      ]
      const phases = struck.flatMap((one) => one.phases.map((phase) => toFigures(found.sent, phase)))
      return { ...found, promise: 'It recovers by itself', checks, phases }
    } finally {
      await fleet.database.setPace(0)
    }
  },
}

async function suffer({ name, strike }: Trouble, load: Load, stage: Stage): Promise<Struck> {
  const { fleet, seconds, step, wait } = stage
  const phase = async (title: string): Promise<Phase> => {
    const fromMs = load.nowMs()
    await wait(seconds)
    return { name: title, fromMs, toMs: load.nowMs() }
  }
  step(`${name}: the database is well until then`)
  const calm = await phase(`before ${name}`)
  step(name)
  const end = await strike(fleet.database)
  // Also when the drill is stopped: a database that stands still would keep everything waiting.
  const ill = await phase(name).finally(end)
  step('the database is well again')
  return { name, phases: [calm, ill, await phase('well again')] }
}

/** What takes longer than this many times the usual is not as before. */
const usualFactor = 3
/** A machine that does nothing answers in less, and a stall of the machine is none of the database. */
const usualMsMin = 50

/** The longest time until all was as it had been at that load; never, when it was not yet as the next trouble came. */
function judgeRecovery(
  sent: readonly Sent[],
  { name, struck }: { readonly name: string; readonly struck: readonly Struck[] },
): Check {
  const times = struck
    .filter((one) => one.name === name)
    .map(({ phases: [calm, , healed] }) => {
      // What was under way when the trouble began is not calm.
      const usual = within(sent, calm).filter(({ dueMs, latencyMs }) => dueMs + latencyMs < calm.toMs)
      const usualMs = Math.max(usualMsMin, usualFactor * p99Of(usual))
      return secondsUntilNormal(within(sent, healed), { fromMs: healed.fromMs, usualMs }) ?? Infinity
    })
  const longest = Math.max(...times)
  const figure = Number.isFinite(longest) ? longest : null
  return { name: `as before again, after ${name}`, figure, unit: 's', most: 10, isTimed: true }
}
