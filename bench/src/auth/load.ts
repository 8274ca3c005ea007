import { Pool } from 'undici'

export type Call = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: object
}

/** One of many who each send a request, wait for its answer, and then send the next. */
export type VirtualUser = {
  next(): Call
  /** Looks at an answer of status 200 or 201. */
  answered?(body: unknown): void
}

export type LoadResult = {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Answers of other statuses, by status. */
  readonly refused: Readonly<Record<string, number>>
}

/** Closed loop: as many requests under way as there are users. */
export async function runUsers(base: string, users: readonly VirtualUser[], seconds: number): Promise<LoadResult> {
  const pool = new Pool(base, { connections: users.length })
  const latencies: number[] = []
  const refused: Record<string, number> = {}
  const startMs = performance.now()
  const endMs = startMs + seconds * 1000
  const live = async (user: VirtualUser): Promise<void> => {
    while (performance.now() < endMs) {
      const { method, path, headers, body } = user.next()
      const sentMs = performance.now()
      const answer = await pool.request({
        method,
        path,
        headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      })
      const text = await answer.body.text()
      if (answer.statusCode > 201) {
        refused[answer.statusCode] = (refused[answer.statusCode] ?? 0) + 1
        continue
      }
      latencies.push(performance.now() - sentMs)
      user.answered?.(JSON.parse(text))
    }
  }
  await Promise.all(users.map(live)).catch((cause: unknown) => {
    throw new Error(`${base} broke off`, { cause })
  })
  const tookSeconds = (performance.now() - startMs) / 1000
  await pool.destroy()
  return { perSecond: latencies.length / tookSeconds, ...quantiles(latencies), refused }
}

/** The middle and the slowest hundredth; NaN without samples. */
export function quantiles(samples: readonly number[]): { p50Ms: number; p99Ms: number } {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
  return { p50Ms: at(0.5), p99Ms: at(0.99) }
}
