import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../measure.ts'
import type { Pando } from '../start-pando.ts'
import { verify } from '../verify.ts'
import { workloads } from '../workloads.ts'
import { fillText, type LoadTarget, runWrk } from '../wrk.ts'
import { type Node, startNode } from './nodes.ts'

export type KeptResult = {
  /** Requests per second for the feed: by one process that asks Postgres each time, by one and by two that keep answers. */
  readonly asked: number
  readonly kept: number
  readonly keptByTwo: number
  /** The middle of the rounds' ratios. */
  readonly keptIs: number
  readonly twoAre: number
}

const feed = workloads.find(({ name }) => name === 'feed')!

/**
 * The feed from one process without and with kept answers, and from two, which share a port. Postgres is the one of
 * `pando`, whose project is there already.
 */
export async function measureKept(
  pando: Pando,
  { seconds, rounds, warmSeconds }: { seconds: number; rounds: number; warmSeconds: number },
): Promise<KeptResult> {
  const start = (mode: string, ...args: string[]): Promise<Node> =>
    startNode(['--services', 'rest', ...args], {
      DATABASE_URL: pando.tcpUrl,
      PANDO_JWT_SECRET: pando.jwtSecret,
      PANDO_CACHE_MODE: mode,
      // `pando` is alone, and tells nobody of the log that it reads.
      PANDO_CHANGES_SLOT: 'pando_bench_kept',
    })
  const nodes = [await start('off'), await start('tables'), await start('tables', '--workers', '2')]
  const targets = nodes.map(({ url }): LoadTarget => ({ ...pando.target(feed)!, base: `${url}/rest/v1` }))
  const rate = (target: LoadTarget, of: number): number =>
    runWrk(target, { connections: 64, seconds: of }).requestsPerSecond
  try {
    await verify(
      feed,
      targets.map((target, index) => ({ ...pando, name: nodes[index]!.url, target: () => target })),
    )
    for (const target of targets.slice(1)) await untilKept(target)
    for (const target of targets) rate(target, warmSeconds)
    const found = Array.from({ length: rounds }, () => targets.map((target) => rate(target, seconds)))
    const column = (index: number): number => median(found.map((round) => round[index]!))
    const ratio = (over: number, under: number): number => median(found.map((round) => round[over]! / round[under]!))
    return { asked: column(0), kept: column(1), keptByTwo: column(2), keptIs: ratio(1, 0), twoAre: ratio(2, 1) }
  } finally {
    await Promise.all(nodes.map((node) => node.stop()))
  }
}

/** A process keeps answers once it knows how far the log of changes is; one that never does would be measured for nothing. */
async function untilKept({ base, path, headers }: LoadTarget): Promise<void> {
  const url = base + fillText(path)
  let status: string | null = null
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await fetch(url, { headers })
    await answer.text()
    status = answer.headers.get('cache-status')
    if (status?.startsWith('pando; hit')) return
    await sleep(100)
  }
  throw new Error(`${url} is not answered from what is kept: ${status}`)
}
