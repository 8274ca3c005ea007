import { startCrowd, type OpenLoopResult } from '../open-loop.ts'
import { runWrk, type LoadResult, type LoadTarget } from '../wrk.ts'
import type { AuthPeer } from './peers.ts'
import { accountsMax } from './workloads.ts'

export type StormResult = {
  readonly before: LoadResult
  readonly during: LoadResult
  readonly crowd: OpenLoopResult
  /** Sign-ins that were let in, and those that were told to come back, per second. */
  readonly admittedPerSecond: number
  readonly refusedPerSecond: number
}

/**
 * One-row reads alone, and again while many times more people sign in than the cores can hash; undefined where Go cannot
 * build the generator.
 */
export async function measureStorm(
  peer: AuthPeer,
  target: LoadTarget,
  { seconds, offeredPerSecond }: { seconds: number; offeredPerSecond: number },
): Promise<StormResult | undefined> {
  const reads = { connections: 16, seconds }
  runWrk(target, reads)
  const before = runWrk(target, reads)
  const calls = Array.from({ length: accountsMax }, (_, account) => peer.signIn(account))
  const { method, headers } = calls[0]!
  const crowdSeconds = seconds + 2
  const requests = calls.map(({ path, body }) => ({ url: peer.origin + path, body: JSON.stringify(body) }))
  const gathering = startCrowd(
    { method, headers: { ...headers, 'content-type': 'application/json' }, requests },
    { perSecond: offeredPerSecond, seconds: crowdSeconds },
  )
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const during = runWrk(target, reads)
  const crowd = await gathering
  if (crowd === undefined) return undefined
  const refusedPerSecond = crowd.refused / crowdSeconds
  return { before, during, crowd, admittedPerSecond: offeredPerSecond - refusedPerSecond, refusedPerSecond }
}
