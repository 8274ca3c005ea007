import { setTimeout as sleep } from 'node:timers/promises'
import { openPhoenix, type Phoenix, type Said } from './phoenix.ts'

export type Numbered = { readonly id: number; readonly cursor: string }

/** Somebody who follows numbered rows or messages and comes back whenever the line breaks, by the cursor alone. */
export type Follower = {
  /** The numbers, in the order in which they came. */
  readonly got: readonly number[]
  /** What came a second time: known by a cursor that is not after the last one. */
  readonly again: readonly number[]
  /** What the server told: something was missed. It comes back at once then, and fetches, or goes on by its cursor. */
  readonly resyncs: readonly string[]
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
  /** All numbers that there are; asked for when it was told that something was missed, after it has joined anew. */
  readonly fetch?: () => Promise<readonly number[]>
}

/** How long it rests before it tries again: the first time, and at most. As kits do, but for less long. */
const pauseMs = 50
const pauseMsMax = 10_000
const heartbeatMs = 5_000

/** Fulfils when it follows for the first time. */
export async function startFollower({ url, apikey, topic, config, read, fetch }: FollowerPlan): Promise<Follower> {
  const got: number[] = []
  const again: number[] = []
  const resyncs: string[] = []
  const stopping = new AbortController()
  const ready = Promise.withResolvers<void>()
  let cursor: string | undefined
  const fetched = new Set<number>()
  let isToFetch = false
  let connections = 0
  let failures = 0

  const hear = (client: Phoenix, said: Said): void => {
    const { event, payload } = said
    if (event === 'system' && payload['status'] === 'ok') {
      ready.resolve()
      // Rows are followed from here on, and no sooner.
      if (isToFetch && payload['extension'] === 'postgres_changes') fetchAll().catch(() => fetchAgain(client))
    }
    if (event === 'system' && payload['status'] === 'error') {
      resyncs.push(String(payload['message']))
      if (fetch === undefined) client.close()
      else fetchAgain(client)
    }
    const next = read(said)
    if (next === undefined || fetched.has(next.id)) return
    if (cursor !== undefined && next.cursor <= cursor) again.push(next.id)
    else {
      got.push(next.id)
      cursor = next.cursor
    }
  }
  /** What is heard after that is from before what it will fetch, once it has joined anew. */
  const fetchAgain = (client: Phoenix): void => {
    isToFetch = true
    cursor = undefined
    client.onHeard = () => {}
    client.close()
  }
  /** Who hears nothing moves on with the log. */
  const advance = (reached: unknown): void => {
    if (typeof reached === 'string' && (cursor === undefined || reached > cursor)) cursor = reached
  }
  const beat = async (client: Phoenix): Promise<void> => {
    const { response } = await client.ask('phoenix', 'heartbeat')
    advance(response['cursor'])
  }
  /** What it had, and is not there, was told and then undone by a crash; what comes meanwhile is left alone. */
  const fetchAll = async (): Promise<void> => {
    const had = got.length
    // Before it asks: whoever is told meanwhile that something was missed has to fetch again.
    isToFetch = false
    const there = new Set(await fetch!())
    const kept = got.slice(0, had).filter((id) => there.has(id))
    got.splice(0, had, ...kept)
    for (const id of there.difference(new Set(got))) {
      fetched.add(id)
      got.push(id)
    }
  }
  const follow = async (): Promise<void> => {
    const client = await openPhoenix(url(), { apikey })
    const close = (): void => client.close()
    stopping.signal.addEventListener('abort', close)
    client.onHeard = (said) => hear(client, said)
    client.remembers = false
    const beats = setInterval(() => void beat(client).catch(() => undefined), heartbeatMs)
    try {
      const answer = await client.join(topic, { ...config, ...(cursor !== undefined && { cursor }) })
      connections += 1
      failures = 0
      // Who has been told nothing yet begins where the answer says.
      if (cursor === undefined) advance(answer.response['cursor'])
      if (answer.status !== 'ok') close()
      await client.closed
    } finally {
      clearInterval(beats)
      stopping.signal.removeEventListener('abort', close)
      close()
    }
  }
  const keepFollowing = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await follow().catch(() => undefined)
      await sleep((0.5 + Math.random()) * Math.min(pauseMsMax, pauseMs * 2 ** Math.min(failures, 10)))
      failures += 1
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
  const order = followers[0]!.got
  for (const { got } of followers) {
    const known = new Set(got)
    const missing = ids.filter((id) => !known.has(id))
    if (missing.length > 0) throw new Error(`missing: ${missing.join(', ')}`)
    if (got.length !== known.size) throw new Error(`${got.length - known.size} came twice`)
    if (got.length !== ids.length) throw new Error(`${got.length - ids.length} came that were never committed`)
    if (got.some((id, at) => id !== order[at])) throw new Error('not in the order of others')
  }
  for (const written of truth.values()) {
    const own = new Set(written)
    const inOrder = order.filter((id) => own.has(id))
    if (inOrder.some((id, at) => id !== written[at])) throw new Error('not in the order of commits')
  }
}
