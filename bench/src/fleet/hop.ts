import { median } from '../measure.ts'
import { readyLine, startNode as startPeer } from '../peer.ts'
import { runWrk } from '../wrk.ts'
import { readCpuMs, startNode } from './nodes.ts'

export type HopResult = {
  /** Processor time of the gateway's process for a request that it passes on, user and system, microseconds. */
  readonly passedMicros: number
  /** The same for a request that it answers itself. */
  readonly ownMicros: number
  readonly perSecond: number
}

/** What it costs a gateway to pass a small request on and its answer back. */
export async function measureHop({ seconds, rounds }: { seconds: number; rounds: number }): Promise<HopResult> {
  const upstream = startPeer('answer.ts', {})
  const { url } = (await readyLine(upstream)) as { url: string }
  const gateway = await startNode({
    args: ['--services', 'gateway'],
    env: {
      PANDO_JWT_SECRET: 'of this bench alone, and long enough for it',
      PANDO_GATEWAY_UPSTREAMS: `rest=${url}`,
    },
  })
  const measure = (path: string): { micros: number; perSecond: number } => {
    const before = readCpuMs(gateway.pid)
    const { requestsPerSecond } = runWrk({ base: gateway.url, method: 'GET', path }, { connections: 64, seconds })
    return {
      micros: (1_000 * (readCpuMs(gateway.pid) - before)) / (requestsPerSecond * seconds),
      perSecond: requestsPerSecond,
    }
  }
  try {
    const [passed, own] = ['/rest/v1/x', '/health/live']
    for (const path of [passed, own]) measure(path)
    const found = Array.from({ length: rounds }, () => ({ passed: measure(passed), own: measure(own) }))
    return {
      passedMicros: median(found.map((round) => round.passed.micros)),
      ownMicros: median(found.map((round) => round.own.micros)),
      perSecond: median(found.map((round) => round.passed.perSecond)),
    }
  } finally {
    await gateway.stop()
    upstream.kill()
  }
}
