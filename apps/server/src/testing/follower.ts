import { setTimeout as sleep } from 'node:timers/promises'
import { openPhoenix, type Phoenix, type Said } from './phoenix.ts'

export type Numbered = { readonly id: number; readonly cursor: string }

/** Somebody who follows numbered rows or messages and comes back whenever the line breaks, by the cursor alone. */
export type Follower = {
  /** What it has, in the order in which it came. */
  readonly got: Numbered[]
  /** What came a second time: known by a cursor that is not after the last one. */
  readonly again: Numbered[]
  /** What the server told: something was missed. It comes back at once then, by the cursor of what it has. */
  readonly resyncs: string[]
  connections(): number
  stop(): void
}

export type FollowerPlan = {
  /** Where the API is just now. */
  readonly url: () => string
  readonly apikey: string
  readonly topic: string
  readonly config: object
  /** The numbered row or message in what was said; undefined for anything else. */
  readonly read: (said: Said) => Numbered | undefined
}

/** How long it rests before it tries again. */
const pauseMs = 50

/** Fulfils when it follows for the first time. */
export async function startFollower({ url, apikey, topic, config, read }: FollowerPlan): Promise<Follower> {
  const got: Numbered[] = []
  const again: Numbered[] = []
  const resyncs: string[] = []
  const stopping = new AbortController()
  const ready = Promise.withResolvers<void>()
  let cursor: string | undefined
  let connections = 0

  const hear = (client: Phoenix, said: Said): void => {
    const { event, payload } = said
    if (event === 'system' && payload['status'] === 'ok') ready.resolve()
    if (event === 'system' && payload['status'] === 'error') {
      resyncs.push(String(payload['message']))
      client.onHeard = () => {}
      client.close()
    }
    const next = read(said)
    if (next === undefined) return
    if (cursor !== undefined && next.cursor <= cursor) again.push(next)
    else {
      got.push(next)
      cursor = next.cursor
    }
  }
  const follow = async (): Promise<void> => {
    const client = await openPhoenix(url(), { apikey })
    const close = (): void => client.close()
    stopping.signal.addEventListener('abort', close)
    client.onHeard = (said) => hear(client, said)
    const answer = await client.join(topic, { ...config, ...(cursor !== undefined && { cursor }) })
    connections += 1
    // Who has been told nothing yet begins where the answer says.
    cursor ??= answer.response['cursor'] as string | undefined
    if (answer.status !== 'ok') close()
    await client.closed
    stopping.signal.removeEventListener('abort', close)
  }
  const keepFollowing = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await follow().catch(() => undefined)
      await sleep(pauseMs)
    }
  }
  void keepFollowing()
  await ready.promise
  return { got, again, resyncs, connections: () => connections, stop: () => stopping.abort() }
}

/** Throws unless everybody got everything that is true, each once and in one order, which is that of each writer too. */
export function mustHaveAll(
  followers: readonly Pick<Follower, 'got'>[],
  truth: ReadonlyMap<number, readonly number[]>,
): void {
  const ids = [...truth.values()].flat()
  const [first] = followers
  const order = first!.got.map(({ id }) => id)
  for (const { got } of followers) {
    const own = got.map(({ id }) => id)
    const known = new Set(own)
    const missing = ids.filter((id) => !known.has(id))
    if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`)
    if (own.length !== known.size) throw new Error(`${own.length - known.size} came twice`)
    if (own.length !== ids.length) throw new Error(`${own.length - ids.length} came that were never committed`)
    if (own.some((id, at) => id !== order[at])) throw new Error('not in the order of others')
  }
  for (const written of truth.values()) {
    const own = new Set(written)
    const inOrder = order.filter((id) => own.has(id))
    if (inOrder.some((id, at) => id !== written[at])) throw new Error('not in the order of commits')
  }
}
