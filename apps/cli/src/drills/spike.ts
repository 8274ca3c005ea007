import { seededRandom } from '@pando/core/testing/seeded-random'

import { checkAnswered, checkFailures } from './checks.ts'
import type { Check, Drill, Found, Stage } from './drill.ts'
import type { ClosedLoop } from './load/closed-loop.ts'
import { findCapacity } from './load/closed-loop.ts'
import type { Phase } from './load/figures.ts'
import { p99Of, round, secondsUntilNormal, toFigures, within } from './load/figures.ts'
import { createHttpClient } from './load/http-client.ts'
import type { Kind, Sent } from './load/open-loop.ts'
import { startLoad } from './load/open-loop.ts'
import { toFleetTarget } from './spike-target.ts'

/** What a spike is offered to. */
export type SpikeTarget = {
  readonly kinds: readonly Kind[]
  /** So many at once ask one after the other, to find out how much can be done. */
  readonly callers: number
  /** Of a node; of an address elsewhere nobody knows. */
  readonly memoryBytes?: () => Promise<number>
}

/** Ten times as much as can be done, all at once. */
export const spike: Drill = {
  name: 'spike',
  about: 'ten times as many requests as can be answered: what can be done is done, the rest is refused at once',
  needs: {},
  async run(stage) {
    const client = createHttpClient(stage.fleet.url)
    try {
      const target = await toFleetTarget(stage.fleet, client, seededRandom(stage.seed + 1))
      return await runSpike(target, stage)
    } finally {
      client.close()
      await stage.fleet.database.setPace(0)
    }
  },
}

export type SpikeStage = Omit<Stage, 'fleet' | 'rounds' | 'connections'> & {
  /** Requests a second at × 1; found out when it is not given. */
  readonly perSecond?: number
}

/** Finds out what can be done, offers ten times as much, and judges what became of it. */
export async function runSpike(target: SpikeTarget, stage: SpikeStage): Promise<Found> {
  const capacity = stage.perSecond ?? (await findCapacity(target.kinds.slice(0, 1), toClosedLoop(target, stage)))
  stage.step(`× 1 is ${round(capacity)} requests a second`)
  const { sent, phases, memoryBytes } = await offerSpike(target, { ...stage, capacity })
  const [half, full, tenfold, again] = phases as [Phase, Phase, Phase, Phase]
  const peak = Math.max(stage.perSecond === undefined ? capacity : 0, toFigures(sent, full).answeredPerSecond)
  const checks = [
    ...judgeSpike({ sent, half, tenfold, again, peak }),
    ...judgeImportant(target.kinds, within(sent, tenfold)),
    ...(target.memoryBytes === undefined ? [] : [judgeMemory(memoryBytes[2]! / memoryBytes[1]!)]),
  ]
  const figures = phases.map((phase) => toFigures(sent, phase))
  return { promise: 'A spike does not break it', checks, phases: figures, sent }
}

const toClosedLoop = ({ callers }: SpikeTarget, { seconds, seed, stopped }: SpikeStage): ClosedLoop => ({
  callers,
  seconds,
  random: seededRandom(seed),
  stopped,
})

type Offered = {
  readonly sent: readonly Sent[]
  readonly phases: readonly Phase[]
  /** The most in each phase. */
  readonly memoryBytes: readonly number[]
}

/** Half of what can be done, all of it, ten times that, and half again; each for so many seconds. */
async function offerSpike(
  target: SpikeTarget,
  { seconds, seed, step, stopped, wait, capacity }: SpikeStage & { readonly capacity: number },
): Promise<Offered> {
  const load = startLoad(target.kinds, capacity / 2, seededRandom(seed))
  const memory = watchMemory(target)
  const end = (): Promise<readonly Sent[]> => {
    memory.stop()
    return load.stop()
  }
  stopped.addEventListener('abort', () => void end())
  const phases: Phase[] = []
  const memoryBytes: number[] = []
  for (const [name, factor] of [
    ['half', 0.5],
    ['× 1', 1],
    ['× 10', 10],
    ['half again', 0.5],
  ] as const) {
    step(`${name}: ${round(capacity * factor)} requests a second`)
    load.setRate(capacity * factor)
    const fromMs = load.nowMs()
    memory.begin()
    await wait(seconds)
    phases.push({ name, fromMs, toMs: load.nowMs() })
    memoryBytes.push(await memory.mostBytes())
  }
  return { sent: await end(), phases, memoryBytes }
}

const judgeMemory = (factor: number): Check => ({
  name: 'memory at × 10, of that at × 1',
  figure: round(factor),
  unit: '×',
  most: 1.5,
  isTimed: false,
})

type Spiked = {
  readonly sent: readonly Sent[]
  readonly half: Phase
  readonly tenfold: Phase
  readonly again: Phase
  /** Answers a second. */
  readonly peak: number
}

function judgeSpike({ sent, half, tenfold, again, peak }: Spiked): Check[] {
  const [calm, stormy] = [within(sent, half), within(sent, tenfold)]
  const goodput = (toFigures(sent, tenfold).answeredPerSecond / peak) * 100
  const normal = secondsUntilNormal(sent, { fromMs: again.fromMs, usualMs: usualFactor * p99Of(calm) })
  const timed = { isTimed: true } as const
  return [
    { name: 'answers at × 10, of the most that can be done', figure: round(goodput), unit: '%', least: 95, ...timed },
    {
      name: 'p99 of what was answered, of that at half',
      figure: round(p99Of(stormy) / p99Of(calm)),
      unit: '×',
      most: 3,
      ...timed,
    },
    { name: 'p99 of refusals', figure: p99Of(stormy, 'refused'), unit: 'ms', most: 20, ...timed },
    { name: 'normal again after', figure: normal ?? null, unit: 's', most: 5, ...timed },
    checkFailures(stormy),
  ]
}

const usualFactor = 3

/** What is more than a read is never refused. */
const judgeImportant = (kinds: readonly Kind[], stormy: readonly Sent[]): Check[] =>
  kinds
    .filter(({ kind }) => kind === 'critical' || kind === 'refresh')
    .map(({ kind }) =>
      checkAnswered(
        `${kind} requests answered at × 10`,
        stormy.filter((one) => one.kind === kind),
      ),
    )

const lookMs = 500

function watchMemory({ memoryBytes }: SpikeTarget) {
  let most = 0
  const look = async (): Promise<void> => {
    if (memoryBytes !== undefined) most = Math.max(most, await memoryBytes())
  }
  const timer = setInterval(() => void look(), lookMs)
  return {
    begin: () => void (most = 0),
    mostBytes: async (): Promise<number> => {
      await look()
      return most
    },
    stop: () => clearInterval(timer),
  }
}
