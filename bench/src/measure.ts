import { waitForCalm } from './calm.ts'
import { lateMsMax, runOpenLoop } from './open-loop.ts'
import type { OpenLoopResult } from './open-loop.ts'
import type { Peer } from './peer.ts'
import { runPgbench } from './pgbench.ts'
import type { Workload } from './workloads.ts'
import { runWrk } from './wrk.ts'
import type { LoadResult, LoadTarget } from './wrk.ts'

export type Plan = {
  readonly seconds: number
  readonly rounds: number
  readonly warmSeconds: number
  readonly connections: number
  /** Longest wait before a round for a machine that has nothing else to do. */
  readonly calmMsMax: number
}

/** One contender at one workload. */
export type Row = {
  readonly workload: string
  readonly peer: string
  /** The middle round. */
  readonly load: LoadResult
  /** Requests per second of each round, in order. */
  readonly rates: readonly number[]
  /** Pando's rate over this one's: the middle of the rounds' ratios. Undefined for Pando itself. */
  readonly pandoIs?: number
  /** How busy the machine was with other things before the busiest of the rounds, 0 to 1. */
  readonly busyBefore: number
  readonly open?: OpenLoopResult
}

type Contender = {
  readonly name: string
  readonly run: (seconds: number) => LoadResult
  readonly results: LoadResult[]
  busyBefore: number
}

/**
 * Measures all contenders one after the other, round by round, so that a noisy minute hits all of them, and a ratio is always
 * one of runs that are seconds apart.
 */
export async function measure(
  workload: Workload,
  { peers, postgresUrl, plan }: { peers: readonly Peer[]; postgresUrl: string | undefined; plan: Plan },
): Promise<Row[]> {
  const contenders = toContenders(workload, { peers, postgresUrl, connections: plan.connections })
  for (const { run } of contenders) run(plan.warmSeconds)
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const contender of contenders) {
      contender.busyBefore = Math.max(contender.busyBefore, await waitForCalm(plan.calmMsMax))
      contender.results.push(contender.run(plan.seconds))
    }
  }
  const pando = contenders.find(({ name }) => name === 'pando')
  const rows = contenders.map((contender) => toRow(workload, contender, pando))
  return workload.openLoop ? addOpenLoop(rows, { workload, peers, plan }) : rows
}

function toContenders(
  workload: Workload,
  { peers, postgresUrl, connections }: { peers: readonly Peer[]; postgresUrl: string | undefined; connections: number },
): Contender[] {
  const fresh = () => ({ results: [], busyBefore: 0 })
  const servers = peers.flatMap(({ name, target }) => {
    const asked = target(workload)
    return asked === undefined
      ? []
      : [{ name, run: (seconds: number) => runWrk(asked, { connections, seconds }), ...fresh() }]
  })
  if (postgresUrl === undefined) return servers
  const run = (seconds: number): LoadResult => runPgbench(workload.sql, { url: postgresUrl, seconds })
  return [{ name: 'postgres', run, ...fresh() }, ...servers]
}

function toRow(workload: Workload, { name, results, busyBefore }: Contender, pando: Contender | undefined): Row {
  const rates = results.map(({ requestsPerSecond }) => requestsPerSecond)
  const middle = median(rates)
  const load = results.find(({ requestsPerSecond }) => requestsPerSecond === middle)!
  const row = { workload: workload.name, peer: name, load, rates, busyBefore }
  if (pando === undefined || name === 'pando') return row
  return { ...row, pandoIs: median(rates.map((rate, round) => pando.results[round]!.requestsPerSecond / rate)) }
}

/** The middle one; of an even number the upper of the two. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

/** Latency at half of what the server can do, which is where a server should be run. */
async function addOpenLoop(
  rows: readonly Row[],
  { workload, peers, plan }: { workload: Workload; peers: readonly Peer[]; plan: Plan },
): Promise<Row[]> {
  const added: Row[] = []
  for (const row of rows) {
    const target = peers.find(({ name }) => name === row.peer)?.target(workload)
    if (target === undefined) {
      added.push(row)
      continue
    }
    const load = { perSecond: row.load.requestsPerSecond / 2, seconds: plan.seconds }
    added.push({ ...row, open: await runUntilOnTime(target, load, plan) })
  }
  return added
}

/** How often a run is made again whose generator was late. */
const voidRunsMax = 5

async function runUntilOnTime(
  target: LoadTarget,
  load: { readonly perSecond: number; readonly seconds: number },
  { calmMsMax }: Plan,
): Promise<OpenLoopResult | undefined> {
  for (let run = 1; ; run += 1) {
    await waitForCalm(calmMsMax)
    const result = await runOpenLoop(target, load)
    if (result === undefined || result.lateP99Ms <= lateMsMax || run === voidRunsMax) return result
  }
}
