import { spawn, spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { benchFolder } from './peer.ts'
import { fillText } from './wrk.ts'
import type { LoadTarget } from './wrk.ts'

export type OpenLoopResult = {
  readonly offeredPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly failed: number
  /** How late the generator itself was; see `lateMsMax`. */
  readonly lateP99Ms: number
  /** Of the failed ones: how long the answer took, and how many did not say when to come back. */
  readonly failedP99Ms: number
  readonly withoutRetryAfter: number
}

/** A load as the generator reads it; its requests are sent in turn. */
export type OpenLoopPlan = {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly perSecond: number
  /** Sent, but not counted: connections are opened meanwhile. */
  readonly warmSeconds: number
  readonly seconds: number
  readonly requests: readonly { readonly url: string; readonly body: string }[]
}

/** Requests with different keys that are sent in turn. */
const requestsMax = 5_000

/** A run whose generator was later than this says nothing and is void. */
export const lateMsMax = 5

/** What is sent before it counts. */
const warmSeconds = 1

/** Arrivals on a schedule; undefined, with the reason on stderr, where Go cannot build the generator. */
export function runOpenLoop(
  target: LoadTarget,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): OpenLoopResult | undefined {
  const generator = buildGenerator()
  if (generator === undefined) return undefined
  const { stdout, stderr, status } = spawnSync(generator, {
    input: JSON.stringify(toPlan(target, perSecond, seconds)),
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`The open-loop generator did not run:\n${stderr}`)
  return toResult(perSecond, stdout)
}

/** The same beside something else that is going on; undefined where Go cannot build the generator. */
export function startOpenLoop(plan: OpenLoopPlan): Promise<OpenLoopResult> | undefined {
  const generator = buildGenerator()
  if (generator === undefined) return undefined
  const child = spawn(generator, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(JSON.stringify(plan))
  return text(child.stdout).then((stdout) => toResult(plan.perSecond, stdout))
}

function toResult(offeredPerSecond: number, stdout: string): OpenLoopResult {
  return { offeredPerSecond, ...(JSON.parse(stdout) as Omit<OpenLoopResult, 'offeredPerSecond'>) }
}

function toPlan(
  { base, method, path, headers = {}, body }: LoadTarget,
  perSecond: number,
  seconds: number,
): OpenLoopPlan {
  const requests = Array.from({ length: requestsMax }, () => ({
    url: base.replace(/\/$/, '') + fillText(path),
    body: body === undefined ? '' : fillText(body),
  }))
  const typed = body === undefined ? headers : { ...headers, 'content-type': 'application/json' }
  return { method, headers: typed, perSecond, warmSeconds, seconds, requests }
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
