import { setTimeout as sleep } from 'node:timers/promises'

import { seededRandom } from '@pando/core/testing/seeded-random'
import type { Follower } from '@pando/server/testing/follower'
import { startFollower } from '@pando/server/testing/follower'

import type { Found, Stage } from './drill.ts'
import { lastId, listWritten } from './fleet/database.ts'
import type { Fleet } from './fleet/fleet.ts'
import type { Phase } from './load/figures.ts'
import { round, toFigures } from './load/figures.ts'
import type { Answer, Ask, HttpClient } from './load/http-client.ts'
import { createHttpClient } from './load/http-client.ts'
import type { Kind, Load } from './load/open-loop.ts'
import { startLoad } from './load/open-loop.ts'
import type { Losses } from './losses.ts'
import { findLosses } from './losses.ts'

export type Trouble = {
  /** What happens; returns when all is done to mend it. */
  readonly strike: (load: Load) => Promise<void>
  /** How often a request that was not answered, or only by 5xx, is sent anew. */
  readonly retries?: number
  /** What reads ask for. */
  readonly read?: string
  /** Finds out how many requests a second there are to be at first. */
  readonly findRate?: (kinds: readonly Kind[]) => Promise<number>
}

const usualRate = 100
const writeShare = 0.3
const followersMax = 10
/** How long events may take at the end, before they count as missing. */
const arrivalTriesMax = 300
const arrivalPauseMs = 100

/**
 * Lets a drill strike while people use the fleet: a phase in which nothing happens, the trouble, another phase. Then counts
 * what was lost.
 */
export async function underTraffic(
  { fleet, seconds, seed, step, wait }: Stage,
  { strike, retries = 0, read = readPath, findRate }: Trouble,
): Promise<Omit<Found, 'promise' | 'checks'> & { readonly losses: Losses; readonly troubleMs: Phase }> {
  const afterId = await lastId(fleet.database.current())
  const followers = await Promise.all(Array.from({ length: followersMax }, () => follow(fleet, afterId)))
  const client = createHttpClient(fleet.url)
  const acknowledged = new Set<string>()
  let load: Load | undefined
  try {
    const random = seededRandom(seed + 1)
    const ask = { client, retries, random, headers: { apikey: fleet.keys.anonKey } }
    const kinds = [toReads(ask, read), toWrites(ask, acknowledged)]
    const perSecond = (await findRate?.(kinds)) ?? usualRate
    const told = `${writeShare * 100} % of them writes; ${followersMax} follow what is written`
    step(`${round(perSecond)} requests a second, ${told}`)
    load = startLoad(kinds, perSecond, seededRandom(seed))
    await wait(seconds)
    const fromMs = load.nowMs()
    await strike(load)
    const toMs = load.nowMs()
    await wait(seconds)
    const sent = await load.stop()
    const written = await listWritten(fleet.database.current(), afterId)
    step(`the load ends: ${acknowledged.size} writes were acknowledged, ${written.length} rows are there`)
    await untilAllHave(followers, written.length)
    const losses = findLosses(acknowledged, written, followers)
    const troubleMs = { name: 'trouble', fromMs, toMs }
    const phases = [
      { name: 'before', fromMs: 0, toMs: fromMs },
      troubleMs,
      { name: 'after', fromMs: toMs, toMs: toMs + seconds * 1000 },
    ]
    return { sent, losses, troubleMs, phases: phases.map((phase) => toFigures(sent, phase)) }
  } finally {
    for (const follower of followers) follower.stop()
    void load?.stop()
    client.close()
  }
}

const readPath = '/rest/v1/drill_notes?select=id,ref&order=id.desc&limit=20'

type Asking = {
  readonly client: HttpClient
  readonly retries: number
  readonly random: () => number
  readonly headers: Readonly<Record<string, string>>
}

const toReads = (asking: Asking, path: string): Kind => ({
  kind: 'read',
  weight: 1 - writeShare,
  send: () => patiently(asking, () => ({ path, headers: asking.headers })),
})

/** Each try has a name of its own, so that one that was done twice is seen. */
function toWrites(asking: Asking, acknowledged: Set<string>): Kind {
  let count = 0
  const headers = { ...asking.headers, prefer: 'return=minimal' }
  const send = async (): Promise<Answer> => {
    let ref = ''
    const answer = await patiently(asking, () => {
      ref = `note ${(count += 1)}`
      return { method: 'POST', path: '/rest/v1/drill_notes', headers, body: { ref } }
    })
    if (answer.status === 201) acknowledged.add(ref)
    return answer
  }
  return { kind: 'write', weight: writeShare, send }
}

const firstPauseMs = 200

/** As apps do that try again: after a pause at random that doubles. */
async function patiently({ client, retries, random }: Asking, toAsk: () => Ask): Promise<Answer> {
  for (let tries = 0; ; tries += 1) {
    const answer = await client.ask(toAsk())
    if (tries === retries || (answer.status !== 0 && answer.status < 500)) return answer
    await sleep((0.5 + random()) * firstPauseMs * 2 ** tries)
  }
}

const follow = ({ url, keys, database }: Fleet, afterId: number): Promise<Follower> =>
  startFollower({
    url: () => url,
    apikey: keys.anonKey,
    topic: 'drill',
    config: { postgres_changes: [{ event: 'INSERT', schema: 'public', table: 'drill_notes' }] },
    read: ({ event, payload }) => {
      if (event !== 'postgres_changes') return undefined
      const { record } = payload['data'] as { record: { id: number } }
      return { id: record.id, cursor: String(payload['cursor']) }
    },
    fetch: async () => (await listWritten(database.current(), afterId)).map(({ id }) => id),
  })

async function untilAllHave(followers: readonly Follower[], count: number): Promise<void> {
  for (let tries = 0; tries < arrivalTriesMax; tries += 1) {
    if (followers.every(({ got }) => got.length >= count)) return
    await sleep(arrivalPauseMs)
  }
}
