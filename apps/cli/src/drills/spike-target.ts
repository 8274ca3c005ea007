import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { callersPerNode, workSeconds } from './fleet/database.ts'
import type { Fleet } from './fleet/fleet.ts'
import type { Answer, HttpClient } from './load/http-client.ts'
import type { Kind } from './load/open-loop.ts'
import { pick } from './load/random.ts'
import type { SpikeTarget } from './spike.ts'
import { toUserHeaders } from './users.ts'

const usersMax = 200
const sessionsMax = 10

/** Many users who read, some who refresh their session, and a server with something critical, in a fleet of the drill's own. */
export async function toFleetTarget(fleet: Fleet, client: HttpClient, random: () => number): Promise<SpikeTarget> {
  const { keys } = fleet
  await fleet.database.setPace(workSeconds)
  const users = await Promise.all(Array.from({ length: usersMax }, () => toUserHeaders(keys)))
  const path = '/rest/v1/rpc/drill_work'
  const critical = { apikey: keys.secretKey, 'x-pando-priority': 'critical' }
  return {
    kinds: [
      { kind: 'read', weight: 0.97, send: () => client.ask({ path, headers: pick(users, random) }) },
      { kind: 'critical', weight: 0.02, send: () => client.ask({ path, headers: critical }) },
      { kind: 'refresh', weight: 0.01, send: await toRefresh(fleet, client) },
    ],
    memoryBytes: fleet.memoryBytes,
    callers: callersPerNode * fleet.nodes.length,
  }
}

/** Each refresh token is good for one refresh, so the requests of a session go one after the other. */
async function toRefresh({ keys }: Fleet, client: HttpClient): Promise<Kind['send']> {
  const tokens: Promise<string>[] = []
  // One after the other as well: hashing passwords is what a node has least room for.
  while (tokens.length < sessionsMax) tokens.push(Promise.resolve(await signIn(keys, client)))
  let turn = 0
  return async () => {
    const at = (turn += 1) % sessionsMax
    const token = tokens[at]!
    const answered = token.then((refresh_token) =>
      askToken(client, keys.anonKey, { grant: 'refresh_token', body: { refresh_token } }),
    )
    tokens[at] = answered.then((answer) => (answer.status === 200 ? readRefreshToken(answer) : token))
    return await answered
  }
}

async function signIn(keys: Fleet['keys'], client: HttpClient): Promise<string> {
  const account = { email: `${randomUUID()}@example.com`, password: randomUUID() }
  const headers = { apikey: keys.serviceRoleKey, authorization: `Bearer ${keys.serviceRoleKey}` }
  // A machine that is busy tells people to come back.
  for (let tries = 1; ; tries += 1) {
    await client.ask({
      method: 'POST',
      path: '/auth/v1/admin/users',
      headers,
      body: { ...account, email_confirm: true },
    })
    const answer = await askToken(client, keys.anonKey, { grant: 'password', body: account })
    if (answer.status === 200) return readRefreshToken(answer)
    if (tries === signInTriesMax)
      throw new Error(`A user of the drill could not sign in: ${answer.status} ${answer.text}`)
    await sleep(signInPauseMs)
  }
}

const signInTriesMax = 60
const signInPauseMs = 500

const askToken = (
  client: HttpClient,
  apikey: string,
  { grant, body }: { readonly grant: string; readonly body: unknown },
): Promise<Answer> =>
  client.ask({ method: 'POST', path: `/auth/v1/token?grant_type=${grant}`, headers: { apikey }, body })

const readRefreshToken = ({ text }: Answer): string => (JSON.parse(text) as { refresh_token: string }).refresh_token
