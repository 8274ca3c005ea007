import { randomUUID } from 'node:crypto'
import type { Kind, OpenLoopReport } from '../open-loop.ts'
import { claims } from '../peer.ts'
import type { Peer } from '../peer.ts'
import { startParseServer, startPlain, startPocketBase } from '../peers.ts'
import { createDatabase, type Pando } from '../start-pando.ts'
import { fillText } from '../wrk.ts'
import { ask, toWirePeer } from '../auth/peers.ts'
import { generateSigningJwk, importSigningKey } from '../../../libs/http/src/auth/sign-jwt.ts'
import { connectionsMax, type KindName, type Scenario, shares } from './scenarios.ts'

/** A server under a spike. */
export type Contender = Pick<Peer, 'name' | 'stop'> & {
  readonly pid: number
  /** Its requests; undefined where it has no such thing. */
  readonly mixOf: (scenario: Scenario) => readonly Kind[] | undefined
  /** Its next requests go on from what these were answered. */
  readonly goOn: (report: OpenLoopReport) => void
}

type Asked = Pick<Kind, 'method' | 'headers' | 'requests'> & Partial<Pick<Kind, 'chain'>>

/** Requests that are written beforehand, and the people who send them. */
const [requestsMax, usersMax, sessionsMax] = [1_000, 200, 128]
const json = { 'content-type': 'application/json' }

function toMix(kinds: Partial<Record<KindName, Asked>>): Kind[] {
  const names = (Object.keys(shares) as KindName[]).filter((name) => kinds[name] !== undefined)
  const all = names.reduce((sum, name) => sum + shares[name], 0)
  return names.map((name) => ({ name, share: shares[name] / all, ...kinds[name]! }))
}

const many = <T>(make: (index: number) => T): T[] => Array.from({ length: requestsMax }, (_, index) => make(index))

/** Pando, with the tokens of many users, and sessions that are refreshed. */
export async function toPandoContender(pando: Pando): Promise<Contender> {
  const tokens = Array.from({ length: usersMax }, () => pando.sign({ ...claims, sub: randomUUID() }))
  const asUser = (index: number) => ({ authorization: `Bearer ${tokens[index % usersMax]!}` })
  const { anonKey: apikey } = pando
  const call = (name: string, key: string, { pause, toil }: Scenario): Asked => ({
    method: 'POST',
    headers: { apikey, ...json },
    requests: many((index) => ({
      url: `${pando.url}/rest/v1/rpc/${name}`,
      body: fillText(`{"${key}":{key},"pause":${pause},"toil":${toil}}`),
      headers: asUser(index),
    })),
  })
  const look = ({ pause, toil }: Scenario, accept: string): Asked => ({
    method: 'GET',
    headers: { apikey, accept },
    requests: many((index) => ({
      url: fillText(`${pando.url}/rest/v1/rpc/look?key={key}&pause=${pause}&toil=${toil}`),
      body: '',
      headers: asUser(index),
    })),
  })
  let tokensOfSessions = await signUp(pando)
  const refresh = (): Asked => ({
    method: 'POST',
    headers: { apikey, ...json },
    requests: [{ url: `${pando.url}/auth/v1/token?grant_type=refresh_token`, body: '{"refresh_token":"{chain}"}' }],
    chain: { field: 'refresh_token', values: tokensOfSessions },
  })
  return {
    name: pando.name,
    pid: pando.pid,
    stop: pando.stop,
    mixOf: (scenario) =>
      toMix({
        refresh: refresh(),
        payments: call('pay', 'device', scenario),
        writes: call('note', 'device', scenario),
        reads: look(scenario, 'application/json'),
        bulk: look(scenario, 'text/csv'),
      }),
    goOn: ({ chains }) => void (tokensOfSessions = chains['refresh']!),
  }
}

/** The refresh tokens of new accounts. */
async function signUp({ url, anonKey: apikey, name }: Pando): Promise<readonly string[]> {
  const key = importSigningKey(generateSigningJwk())
  const wire = toWirePeer({ name, url: `${url}/auth/v1`, apikey, key })
  const refresh: string[] = []
  while (refresh.length < sessionsMax)
    refresh.push(wire.toSession(await ask(wire, wire.signUp(refresh.length))).refresh)
  return refresh
}

type Elsewhere = {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly look: string
  readonly note: string
}

/** The same work of a server without sessions: it knows no kinds, so nothing of it is more important than the rest. */
function toOther({ url, headers = {}, look, note }: Elsewhere, scenario: Scenario): Kind[] {
  const call = (path: string): Asked => ({
    method: 'POST',
    headers: { ...headers, ...json },
    requests: many(() => ({
      url: url + path,
      body: fillText(`{"key":{key},"pause":${scenario.pause},"toil":${scenario.toil}}`),
    })),
  })
  return toMix({ payments: call(note), writes: call(note), reads: call(look), bulk: call(look) })
}

/** Those of the servers that are asked for; one that cannot be built here is left out. */
export async function startOthers(pando: Pando, wanted: ReadonlySet<string>): Promise<Contender[]> {
  const connections = { CONNECTIONS: String(connectionsMax) }
  const others: Contender[] = []
  const goOn = (): void => undefined
  if (wanted.has('plain')) {
    const plain = await startPlain(pando.databaseUrl, connections)
    const at = { url: plain.url, look: '/look', note: '/note' }
    others.push({ ...plain, mixOf: (scenario) => toOther(at, scenario), goOn })
  }
  if (wanted.has('parse-server')) {
    const parse = await startParseServer(await createDatabase(pando.tcpUrl, 'parse'), connections)
    const at = { url: parse.url, headers: parse.headers, look: '/functions/look', note: '/functions/note' }
    others.push({ ...parse, mixOf: (scenario) => toOther(at, scenario), goOn })
  }
  const pocketBase = wanted.has('pocketbase') ? await startPocketBase() : undefined
  if (pocketBase !== undefined) {
    const at = { url: pocketBase.url, look: '/look', note: '/note' }
    // Its database is a part of it: there are no connections to sleep on, and rows take it about five times as long.
    const mixOf: Contender['mixOf'] = (scenario) =>
      scenario.pause > 0 ? undefined : toOther(at, { ...scenario, toil: scenario.toil / 5 })
    others.push({ ...pocketBase, mixOf, goOn })
  }
  return others
}
