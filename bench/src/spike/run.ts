import { readFileSync } from 'node:fs'
import { waitForCalm } from '../calm.ts'
import {
  type Figures,
  type Kind,
  lateMsMax,
  type OpenLoopPlan,
  type OpenLoopReport,
  startOpenLoop,
} from '../open-loop.ts'
import type { Contender } from './contenders.ts'
import { type Scenario, type Stage, timeoutMs } from './scenarios.ts'

export type SpikePlan = {
  readonly stages: readonly Stage[]
  /** Of each closed loop by which the capacity is found. */
  readonly capacitySeconds: number
  readonly seed: number
  /** How often a run is made again whose generator was late. */
  readonly voidRunsMax: number
  readonly calmMsMax: number
  /** The processors of the generator; the servers and Postgres have the others. */
  readonly generatorCores: string
}

/** What became of one contender in one scenario. */
export type SpikeRow = {
  readonly scenario: Scenario['name']
  readonly contender: string
  /** Good answers a second, of the best of several closed loops. */
  readonly capacityPerSecond: number
  /** How late the generator was; the run is void above `lateMsMax`. */
  readonly lateP99Ms: number
  readonly busyBefore: number
  readonly stages: readonly StageFound[]
}

export type StageFound = Stage & {
  readonly all: Figures
  readonly kinds: Readonly<Record<string, Figures>>
  readonly bySecond: readonly Figures[]
  /** Most resident memory of the server's process. */
  readonly rssMb: number
}

/** So many requests at once are tried to find out what can be done. */
const crowds = [2, 4, 8, 16, 32]
/** Where more than this share is refused, those that are let in are not the mixture any more. */
const refusedShareMax = 0.01
/** More connections than this one process may not open. */
const inFlightMost = 15_000

/** Finds out what a server can do, and offers it multiples of that. */
export async function runSpike(
  contender: Contender,
  scenario: Scenario,
  plan: SpikePlan,
): Promise<SpikeRow | undefined> {
  const kinds = contender.mixOf(scenario)
  if (kinds === undefined) return undefined
  for (const kind of kinds) await mustAnswer(contender.name, kind)
  const carryOut = async (of: Pick<OpenLoopPlan, 'stages' | 'inFlightMax'>): Promise<OpenLoopReport> => {
    const mix = contender.mixOf(scenario)!
    const report = await startOpenLoop({ timeoutMs, seed: plan.seed, mix, ...of }, plan.generatorCores)!
    contender.goOn(report)
    return report
  }
  let capacityPerSecond = 0
  // The first of them warms up what is measured by the others.
  for (const inFlightMax of [crowds[0]!, ...crowds]) {
    const seconds = plan.capacitySeconds
    const { good, refused, sent } = (await carryOut({ stages: [{ perSecond: 0, seconds }], inFlightMax })).stages[0]!
      .all
    if (refused <= refusedShareMax * sent) capacityPerSecond = Math.max(capacityPerSecond, good / seconds)
  }
  if (capacityPerSecond === 0) {
    console.log(`${scenario.name}, ${contender.name}: answers nothing within ${timeoutMs} ms, and is left out`)
    return undefined
  }
  const stages = plan.stages.map(({ times, seconds }) => ({ perSecond: times * capacityPerSecond, seconds }))
  const mostPerSecond = Math.max(...stages.map(({ perSecond }) => perSecond))
  const inFlightMax = Math.min(inFlightMost, Math.ceil(1.5 * (timeoutMs / 1_000) * mostPerSecond) + 64)
  for (let run = 1; ; run += 1) {
    const busyBefore = await waitForCalm(plan.calmMsMax)
    const memory = watchMemory(contender.pid)
    const report = await carryOut({ stages, inFlightMax })
    const samples = memory.stop()
    if (report.lateP99Ms > lateMsMax && run < plan.voidRunsMax) continue
    return {
      scenario: scenario.name,
      contender: contender.name,
      capacityPerSecond,
      lateP99Ms: report.lateP99Ms,
      busyBefore,
      stages: toStagesFound(plan.stages, report, samples),
    }
  }
}

/** A contender that only says no would look fast. */
async function mustAnswer(name: string, { method, headers, requests, chain }: Kind): Promise<void> {
  if (chain !== undefined) return
  const { url, body, headers: own } = requests[0]!
  const answer = await fetch(url, {
    method,
    headers: { ...headers, ...own },
    body: method === 'GET' ? undefined : body,
  })
  if (!answer.ok) throw new Error(`${name} answers ${method} ${url} with ${answer.status}: ${await answer.text()}`)
}

type Sample = { readonly atSeconds: number; readonly rssMb: number }

const sampleMs = 500

function watchMemory(pid: number): { stop(): readonly Sample[] } {
  const samples: Sample[] = []
  const startMs = performance.now()
  const timer = setInterval(
    () => samples.push({ atSeconds: (performance.now() - startMs) / 1_000, rssMb: readRssMb(pid) }),
    sampleMs,
  )
  return { stop: () => (clearInterval(timer), samples) }
}

/** As Linux tells it; to start a program for it would take time from the servers. */
function readRssMb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024
}

function toStagesFound(stages: readonly Stage[], report: OpenLoopReport, samples: readonly Sample[]): StageFound[] {
  let begins = 0
  return stages.map((stage, index) => {
    const ends = begins + stage.seconds
    const within = samples.filter(({ atSeconds }) => atSeconds >= begins && atSeconds < ends)
    begins = ends
    return { ...stage, ...report.stages[index]!, rssMb: Math.max(...within.map(({ rssMb }) => rssMb)) }
  })
}
