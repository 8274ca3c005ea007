import { runWrk, type LoadResult, type LoadTarget } from '../wrk.ts'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { quantiles } from './load.ts'
import type { AuthPeer } from './peers.ts'

export type StormResult = {
  readonly offeredPerSecond: number
  readonly before: LoadResult
  readonly during: LoadResult
  /** Sign-ins that were let in, and those that were told to come back, per second. */
  readonly admittedPerSecond: number
  readonly refusedPerSecond: number
  readonly refusedP99Ms: number
  readonly refusedWithoutRetryAfter: number
}

/** One-row reads alone, and again while many times more people sign in than the cores can hash. */
export async function measureStorm(
  peer: AuthPeer,
  target: LoadTarget,
  { seconds, offeredPerSecond }: { seconds: number; offeredPerSecond: number },
): Promise<StormResult> {
  const reads = { connections: 16, seconds }
  const before = runWrk(target, reads)
  const crowd = spawn(process.execPath, [fileURLToPath(new URL('crowd.ts', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const call = peer.signIn(0)
  crowd.stdin.end(JSON.stringify({ origin: peer.origin, call, offeredPerSecond, seconds: seconds + 2 }))
  const told = collect(crowd.stdout)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const during = runWrk(target, reads)
  const { admitted, refused, tookSeconds, withoutRetryAfter } = JSON.parse(await told) as Crowd
  return {
    offeredPerSecond,
    before,
    during,
    admittedPerSecond: admitted / tookSeconds,
    refusedPerSecond: refused.length / tookSeconds,
    refusedP99Ms: quantiles(refused).p99Ms,
    refusedWithoutRetryAfter: withoutRetryAfter,
  }
}

export type Crowd = {
  readonly admitted: number
  /** How long each refusal took, ms. */
  readonly refused: readonly number[]
  readonly withoutRetryAfter: number
  readonly tookSeconds: number
}

async function collect(stream: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return text
}
