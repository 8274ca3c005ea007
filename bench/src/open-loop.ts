import { spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { benchFolder } from './peer.ts'
import { fillText } from './wrk.ts'
import type { LoadTarget } from './wrk.ts'

/** A load as the generator (`open-loop/main.go`) reads it. */
export type OpenLoopPlan = {
  /** After so long a client hangs up; an answer that comes later after its scheduled instant is no good. */
  readonly timeoutMs: number
  /** Connections, and requests under way at most. */
  readonly inFlightMax: number
  /** Of the random numbers by which gaps and kinds are drawn; with 0 arrivals are evenly spaced. */
  readonly seed: number
  /** One after the other; with 0 per second each connection sends its next request when it has the last answer. */
  readonly stages: readonly { readonly perSecond: number; readonly seconds: number }[]
  readonly mix: readonly Kind[]
}

/** One kind of request, which is `share` of all. */
export type Kind = {
  readonly name: string
  readonly share: number
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  /** Sent in turn. */
  readonly requests: readonly {
    readonly url: string
    readonly body: string
    readonly headers?: Readonly<Record<string, string>>
  }[]
  /** Where a request needs what an answer said: in place of `{chain}` in its body, first one of `values`, then `field`. */
  readonly chain?: { readonly field: string; readonly values: readonly string[] }
}

export type Figures = {
  readonly sent: number
  /** Answered with a status below 300, and in time. */
  readonly good: number
  /** 503 and 429. */
  readonly refused: number
  readonly failed: number
  /** Of the good ones, from the scheduled instant. */
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the refused ones: how long the answer took, and how many did not say when to come back. */
  readonly refusedP99Ms: number
  readonly withoutRetryAfter: number
}

export type OpenLoopReport = {
  /** What the values of chains are now, by kind. */
  readonly chains: Readonly<Record<string, readonly string[]>>
  /** How late the generator itself was; see `lateMsMax`. */
  readonly lateP99Ms: number
  readonly stages: readonly {
    readonly all: Figures
    readonly kinds: Readonly<Record<string, Figures>>
    readonly bySecond: readonly Figures[]
  }[]
}

/** What became of one kind of request at one rate. */
export type OpenLoopResult = Figures & { readonly offeredPerSecond: number; readonly lateP99Ms: number }

/** Requests with different keys that are sent in turn. */
const requestsMax = 5_000

/** A run whose generator was later than this says nothing and is void. */
export const lateMsMax = 5

const usual = { timeoutMs: 10_000, inFlightMax: 256, seed: 0 }

/** Arrivals on a schedule; undefined, with the reason on stderr, where Go cannot build the generator. */
export async function runOpenLoop(
  target: LoadTarget,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<OpenLoopResult | undefined> {
  // What is sent in the first second is not counted: connections are opened meanwhile.
  const stages = [1, seconds].map((each) => ({ perSecond, seconds: each }))
  const report = await startOpenLoop({ ...usual, stages, mix: [toKind(target)] })
  return report && toResult(perSecond, report)
}

/** Many of one kind, beside something else that is going on; undefined where Go cannot build the generator. */
export async function startCrowd(
  kind: Omit<Kind, 'name' | 'share'>,
  load: { readonly perSecond: number; readonly seconds: number },
): Promise<OpenLoopResult | undefined> {
  const report = await startOpenLoop({ ...usual, stages: [load], mix: [{ name: 'crowd', share: 1, ...kind }] })
  return report && toResult(load.perSecond, report)
}

/** Carries out a plan, on the processors `cores` (as `taskset` names them) if they are given. */
export function startOpenLoop(plan: OpenLoopPlan, cores?: string): Promise<OpenLoopReport> | undefined {
  const generator = buildGenerator()
  if (generator === undefined) return undefined
  const [command, ...args] = cores === undefined ? [generator] : ['taskset', '-c', cores, generator]
  // In a session of its own: Linux shares out processors by session (autogroup), and the server is in ours.
  const child = spawn(command!, args, { detached: true, stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(plan))
  return text(child.stdout).then((stdout) => JSON.parse(stdout) as OpenLoopReport)
}

function toResult(offeredPerSecond: number, { lateP99Ms, stages }: OpenLoopReport): OpenLoopResult {
  return { offeredPerSecond, lateP99Ms, ...stages.at(-1)!.all }
}

function toKind({ base, method, path, headers = {}, body }: LoadTarget): Kind {
  const requests = Array.from({ length: requestsMax }, () => ({
    url: base.replace(/\/$/, '') + fillText(path),
    body: body === undefined ? '' : fillText(body),
  }))
  const typed = body === undefined ? headers : { ...headers, 'content-type': 'application/json' }
  return { name: path, share: 1, method, headers: typed, requests }
}

let built: string | undefined | null = null

function buildGenerator(): string | undefined {
  if (built !== null) return built
  const binary = join(tmpdir(), 'pando-bench-open-loop')
  const cwd = join(benchFolder, 'open-loop')
  const { status, error, stderr } = spawnSync('go', ['build', '-o', binary, '.'], { cwd, encoding: 'utf8' })
  if (status !== 0) process.stderr.write(`Open-loop latencies are left out: ${error?.message ?? stderr}\n`)
  return (built = status === 0 ? binary : undefined)
}
