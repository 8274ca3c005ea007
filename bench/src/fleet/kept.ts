import { setTimeout as sleep } from 'node:timers/promises'
import { median } from '../measure.ts'
import type { Pando } from '../start-pando.ts'
import { verify } from '../verify.ts'
import { workloads } from '../workloads.ts'
import { fillText, type LoadTarget, runWrk } from '../wrk.ts'
import { type Node, startNode } from './nodes.ts'

export type KeptResult = {
  /** Requests per second for the feed by one process: one that asks Postgres each time, and one that keeps answers. */
  readonly asked: number
  readonly kept: number
  /** The same of kept answers, where processes and generator have one processor, and where they have two. */
  readonly keptByOne: number
  readonly keptByTwo: number
  /** The middle of the rounds' ratios. */
  readonly keptIs: number
  readonly twoAre: number
}

const feed = workloads.find(({ name }) => name === 'feed')!

/**
 * The feed from one process without and with kept answers; then from one on one processor and from two, which share a
 * port, on two. The generator is on the same processors: otherwise, on a machine with two, it would have one of its own
 * beside the one process and be in the way of the two. Postgres is the one of `pando`, whose project is there already.
 */
export async function measureKept(
  pando: Pando,
  { seconds, rounds, warmSeconds }: { seconds: number; rounds: number; warmSeconds: number },
): Promise<KeptResult> {
  const start = async ({ mode, cpus, args = [] }: Kind): Promise<Started> => {
    const env = {
      DATABASE_URL: pando.tcpUrl,
      PANDO_JWT_SECRET: pando.jwtSecret,
      PANDO_CACHE_MODE: mode,
      // `pando` is alone, and tells nobody of the log that it reads.
      PANDO_CHANGES_SLOT: 'pando_bench_kept',
    }
    const node = await startNode({ args: ['--services', 'rest', ...args], env, cpus })
    return { node, cpus, target: { ...pando.target(feed)!, base: `${node.url}/rest/v1` } }
  }
  const all: Started[] = []
  for (const kind of kinds) all.push(await start(kind))
  const rate = ({ target, cpus }: Started, of: number): number =>
    runWrk(target, { connections: 64, seconds: of, cpus }).requestsPerSecond
  try {
    await verify(
      feed,
      all.map(({ node, target }) => ({ ...pando, name: node.url, target: () => target })),
    )
    for (const { target } of all.slice(1)) await untilKept(target)
    for (const each of all) rate(each, warmSeconds)
    const found = Array.from({ length: rounds }, () => all.map((each) => rate(each, seconds)))
    const column = (index: number): number => median(found.map((round) => round[index]!))
    const ratio = (over: number, under: number): number => median(found.map((round) => round[over]! / round[under]!))
    const [asked, kept, keptByOne, keptByTwo] = [column(0), column(1), column(2), column(3)]
    return { asked, kept, keptByOne, keptByTwo, keptIs: ratio(1, 0), twoAre: ratio(3, 2) }
  } finally {
    await Promise.all(all.map(({ node }) => node.stop()))
  }
}

type Kind = { readonly mode: string; readonly cpus?: string; readonly args?: readonly string[] }
type Started = { readonly node: Node; readonly cpus: string | undefined; readonly target: LoadTarget }

const kinds: readonly Kind[] = [
  { mode: 'off' },
  { mode: 'tables' },
  { mode: 'tables', cpus: '0' },
  { mode: 'tables', cpus: '0,1', args: ['--workers', '2'] },
]

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
