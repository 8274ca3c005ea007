import { setTimeout as sleep } from 'node:timers/promises'

import type { BalancerName } from '@pando/server/testing/balancer'

import type { Cli, GlobalOptions } from '../cli.ts'
import { waitForStop } from '../dev/stop-signals.ts'
import { drills } from '../drills/all.ts'
import type { Drill, Found, Report, Stage } from '../drills/drill.ts'
import type { FleetNeeds } from '../drills/fleet/fleet.ts'
import { startFleet } from '../drills/fleet/fleet.ts'
import { renderReport } from '../drills/render.ts'
import { toReport } from '../drills/report.ts'
import { Failure, toSentence } from '../failure.ts'

export type DrillOptions = GlobalOptions & {
  readonly names: readonly string[]
  readonly nodes: number
  readonly seconds: number
  readonly rounds: number
  /** In the place of the gateway. */
  readonly balancer?: BalancerName
  readonly seed: number
  /** Of phones that do nothing. */
  readonly connections: number
  /** An installation that runs elsewhere, for the spike alone. */
  readonly url?: string
  readonly key?: string
  readonly read?: string
  readonly table?: string
  /** Requests a second at × 1. */
  readonly rate?: number
}

/**
 * `pando drill`: does something bad to a fleet that it starts itself, while people use it, and says which promises
 * were kept. Exit code 0 when all were.
 */
export async function runDrill(cli: Cli, options: DrillOptions): Promise<void> {
  const chosen = choose(options.names)
  const stopping = new AbortController()
  void waitForStop(() => undefined).then(() => stopping.abort(new Failure('interrupted', 'The drill was stopped.')))
  const drill = options.url === undefined ? drillFleet : drillStaging
  const reports = await drill(cli, chosen, { ...options, stopped: stopping.signal }).catch((error: unknown) => {
    // Ctrl-C in a terminal ends the processes of the fleet too, and what was going on fails by that.
    stopping.signal.throwIfAborted()
    throw error
  })
  const bad = reports.filter(({ outcome }) => outcome !== 'pass')
  if (bad.length === 0) return
  const names = bad.map(({ drill, outcome }) => `${drill} (${outcome})`).join(', ')
  throw new Failure('fault', `${bad.length} of ${reports.length} drills did not pass: ${names}.`, {
    facts: { drills: bad.map(({ drill }) => drill) },
  })
}

/** In the order in which they can be done on one fleet. */
function choose(names: readonly string[]): readonly Drill[] {
  const unknown = names.filter((name) => !drills.some((drill) => drill.name === name))
  if (unknown.length === 0) return drills.filter(({ name }) => names.includes(name))
  throw new Failure('usage', `There is no drill ${unknown.join(', ')}.`, {
    remedy: `There are: ${drills.map(({ name }) => name).join(', ')}.`,
  })
}

/** What a drill of these options is, and what ends it early. */
type Run = DrillOptions & Pick<Stage, 'stopped'>

async function drillFleet(cli: Cli, chosen: readonly Drill[], options: Run): Promise<Report[]> {
  cli.terminal.say(`Starting ${options.nodes} nodes, ${options.balancer ?? 'a gateway'} and PostgreSQL …`)
  const fleet = await startFleet({
    nodes: options.nodes,
    needs: Object.assign({}, ...chosen.map(({ needs }) => needs)) as FleetNeeds,
    balancer: options.balancer,
    searchPath: cli.environment['PATH'] ?? '',
    nowMs: cli.now().getTime(),
  }).catch(explain)
  try {
    const reports: Report[] = []
    for (const drill of chosen) {
      reports.push(await record(cli, { ...options, drill: drill.name }, (stage) => drill.run({ ...stage, fleet })))
    }
    return reports
  } finally {
    await fleet.remove()
  }
}

function explain(error: unknown): never {
  throw new Failure('fault', toSentence(error instanceof Error ? error.message : String(error)), { cause: error })
}

async function drillStaging(cli: Cli, chosen: readonly Drill[], options: Run): Promise<Report[]> {
  const { url = '', key, read, table, rate } = options
  const others = chosen.filter(({ name }) => name !== 'spike').map(({ name }) => name)
  if (others.length > 0)
    throw new Failure('usage', `${others.join(', ')} cannot be done to an address: only spike can.`, {
      remedy: 'Leave --url out; the drill starts a fleet of its own.',
    })
  if (key === undefined || read === undefined || rate === undefined)
    throw new Failure('usage', 'A spike on an address wants to know --key, --read and --rate.', {
      remedy: `For example: pando drill spike --url ${url} --key sb_publishable_… --read '/rest/v1/posts?limit=20' --rate 50`,
    })
  const { spikeStaging } = await import('../drills/staging.ts')
  const staging = { url, key, path: read, table }
  const ran = { ...options, drill: 'spike', nodes: 0 }
  return [await record(cli, ran, (stage) => spikeStaging(staging, { ...stage, perSecond: rate }))]
}

type Ran = Pick<Report, 'drill' | 'nodes'> & Pick<Stage, 'seconds' | 'rounds' | 'seed' | 'connections' | 'stopped'>

/** Shows each step as it is taken, and the report at the end. */
async function record(
  cli: Cli,
  { drill, nodes, stopped, ...options }: Ran,
  run: (stage: Omit<Stage, 'fleet'>) => Promise<Found>,
): Promise<Report> {
  const startMs = performance.now()
  const steps: { atMs: number; text: string }[] = []
  const step = (text: string): void => {
    stopped.throwIfAborted()
    steps.push({ atMs: Math.round(performance.now() - startMs), text })
    cli.terminal.say(cli.terminal.paint('dim', `${drill}: ${text}`))
  }
  const wait = (duration: number): Promise<void> =>
    sleep(duration * 1000, undefined, { signal: stopped }).catch(() => stopped.throwIfAborted())
  const found = await run({ ...options, stopped, step, wait })
  const report = toReport({ drill, steps, nodes, seed: options.seed }, found)
  cli.terminal.result(report, () => `${renderReport(cli.terminal, report)}\n`)
  return report
}
