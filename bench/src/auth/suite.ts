// `npm run bench -- auth [--quick] [--gotrue URL [--gotrue-secret TEXT]]`: accounts and sessions, against Parse Server and,
// when one runs at that address, another server of the same wire, which signs with that secret (HS256).
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs, styleText } from 'node:util'
import { generateSigningJwk, hmacSigningKey, importSigningKey } from '../../../libs/http/src/auth/sign-jwt.ts'
import { waitForCalm } from '../calm.ts'
import { benchFolder } from '../peer.ts'
import type { Peer } from '../peer.ts'
import { startParseServer } from '../peers.ts'
import { describeRun } from '../report.ts'
import { copyProject, createDatabase, removeProject, startPando } from '../start-pando.ts'
import { workloads as restWorkloads } from '../workloads.ts'
import { measureHashRate } from './hash-rate.ts'
import { runUsers, type LoadResult, type VirtualUser } from './load.ts'
import { ask, toParsePeer, toWirePeer, type AuthPeer, type Session } from './peers.ts'
import { measureStorm, type StormResult } from './storm.ts'
import { measureTokenRates, type TokenRates } from './token-rate.ts'
import { accountsMax, workloads } from './workloads.ts'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: [...Object.keys(workloads), 'tokens', 'storm'].join(',') },
    gotrue: { type: 'string' },
    'gotrue-secret': { type: 'string', default: 'super-secret-jwt-token-with-at-least-32-characters-long' },
  },
})
const asked = new Set(flags.only.split(','))
const plan = {
  seconds: flags.quick ? 2 : 5,
  rounds: flags.quick ? 1 : 5,
  warmSeconds: flags.quick ? 1 : 5,
  connections: accountsMax,
  calmMsMax: flags.quick ? 0 : 15_000,
}

type Row = { readonly workload: string; readonly peer: string; readonly load: LoadResult; readonly pandoIs?: number }

const jwk = generateSigningJwk()
process.env['PANDO_JWT_SIGNING_KEYS'] = JSON.stringify([jwk])
const project = copyProject()
const pando = await startPando(project)
const parse = await startParseServer(await createDatabase(pando.tcpUrl, 'parse'))
try {
  const hashRate = await measureHashRate(plan.seconds)
  const url = `${new URL(pando.url).origin}/auth/v1`
  const wire = toWirePeer({ name: 'pando', url, apikey: pando.anonKey, key: importSigningKey(jwk) })
  const peers = [wire, parsePeerOf(parse), ...(flags.gotrue === undefined ? [] : [toGotrue(flags.gotrue)])]
  const sessions = new Map(await Promise.all(peers.map(async (peer) => [peer.name, await signUpAll(peer)] as const)))
  const rows: Row[] = []
  for (const name of Object.keys(workloads).filter((each) => asked.has(each))) {
    process.stderr.write(`${name} …\n`)
    rows.push(...(await measure(name, peers, sessions)))
  }
  const tokenRates = asked.has('tokens') ? await measureTokenRates(plan.seconds) : undefined
  const target = pando.target(restWorkloads.find(({ name }) => name === 'one row')!)!
  const storm = asked.has('storm')
    ? await measureStorm(wire, target, { seconds: plan.seconds, offeredPerSecond: hashRate * 10 })
    : undefined
  const report = { ...(await describeRun(pando.databaseUrl, plan)), hashRate, tokenRates, rows, storm }
  mkdirSync(`${benchFolder}results`, { recursive: true })
  writeFileSync(`${benchFolder}results/auth.json`, `${JSON.stringify(report, null, 2)}\n`)
  print(rows, hashRate, storm)
  printVerification(rows)
  if (tokenRates !== undefined) printTokenRates(tokenRates)
} finally {
  await Promise.all([pando, parse].map((peer) => peer.stop()))
  removeProject(project)
}

function toGotrue(url: string): AuthPeer {
  return toWirePeer({ name: 'gotrue', url, apikey: '', key: hmacSigningKey(flags['gotrue-secret']) })
}

function parsePeerOf(peer: Peer): AuthPeer {
  const { base, headers = {} } = peer.target(restWorkloads[0]!)!
  return toParsePeer(base, headers)
}

async function signUpAll(peer: AuthPeer): Promise<Session[]> {
  const sessions: Session[] = []
  for (let account = 0; account < accountsMax; account += 1) {
    sessions.push(peer.toSession(await ask(peer, peer.signUp(account))))
  }
  return sessions
}

/** Contenders take turns, round by round. */
async function measure(
  name: string,
  peers: readonly AuthPeer[],
  sessions: ReadonlyMap<string, readonly Session[]>,
): Promise<Row[]> {
  const users = new Map<string, VirtualUser[]>()
  for (const peer of peers) users.set(peer.name, await workloads[name]!(peer, sessions.get(peer.name)!))
  const results = new Map<string, LoadResult[]>(peers.map((peer) => [peer.name, []]))
  for (const { name: peer, origin } of peers) await runUsers(origin, users.get(peer)!, plan.warmSeconds)
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const { name: peer, origin } of peers) {
      await waitForCalm(plan.calmMsMax)
      results.get(peer)!.push(await runUsers(origin, users.get(peer)!, plan.seconds))
    }
  }
  const own = results.get('pando')!
  return peers.map(({ name: peer }) => {
    const rounds = results.get(peer)!
    const load = middle(rounds, ({ perSecond }) => perSecond)
    const row = { workload: name, peer, load }
    if (peer === 'pando') return row
    return {
      ...row,
      pandoIs: middle(
        rounds.map(({ perSecond }, round) => own[round]!.perSecond / perSecond),
        (ratio) => ratio,
      ),
    }
  })
}

function middle<T>(items: readonly T[], by: (item: T) => number): T {
  return items.toSorted((a, b) => by(a) - by(b))[Math.floor(items.length / 2)]!
}

function printTokenRates({ unseen, seen, jose }: TokenRates): void {
  const ratio = (own: number, other: number): string => `${(own / other).toFixed(2)} ×`
  console.log(
    `access tokens verified on one core: ${unseen.toFixed(0)} /s unseen, ${seen.toFixed(0)} /s seen before; ` +
      `jose ${jose.toFixed(0)} /s (pando unseen is ${ratio(unseen, jose)})`,
  )
}

/** What a token that was not seen before adds to a request that is otherwise the same. */
function printVerification(rows: readonly Row[]): void {
  for (const { peer, load } of rows.filter(({ workload }) => workload === 'new token')) {
    const seen = rows.find((row) => row.workload === 'get user' && row.peer === peer)
    if (seen === undefined) continue
    const micros = 1e6 / load.perSecond - 1e6 / seen.load.perSecond
    console.log(`a token that ${peer} has not seen costs ${micros.toFixed(0)} µs more than one that it has`)
  }
}

function print(rows: readonly Row[], hashRate: number, storm: StormResult | undefined): void {
  for (const { workload, peer, load, pandoIs } of rows) {
    const ratio = pandoIs === undefined ? '' : `pando is ${pandoIs.toFixed(2)} ×`
    const refused =
      Object.keys(load.refused).length === 0 ? '' : styleText('yellow', ` refused ${JSON.stringify(load.refused)}`)
    console.log(
      `${workload.padEnd(9)} ${peer.padEnd(13)} ${load.perSecond.toFixed(0).padStart(7)} /s  p50 ${load.p50Ms.toFixed(1)} p99 ${load.p99Ms.toFixed(1)} ms  ${ratio}${refused}`,
    )
  }
  console.log(`the hashing library alone: ${hashRate.toFixed(0)} /s`)
  if (storm === undefined) return
  const { before, during, crowd } = storm
  console.log(
    `storm of ${crowd.offeredPerSecond.toFixed(0)} sign-ins/s: reads ${before.requestsPerSecond.toFixed(0)} → ${during.requestsPerSecond.toFixed(0)} /s, ` +
      `p99 ${before.p99Ms.toFixed(1)} → ${during.p99Ms.toFixed(1)} ms; ${storm.admittedPerSecond.toFixed(0)} /s let in, ` +
      `${storm.refusedPerSecond.toFixed(0)} /s refused with p99 ${crowd.refusedP99Ms.toFixed(1)} ms, ${crowd.withoutRetryAfter} without Retry-After`,
  )
}
