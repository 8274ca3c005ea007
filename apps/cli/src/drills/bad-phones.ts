import { seededRandom } from '@pando/core/testing/seeded-random'

import { checkAnswered } from './checks.ts'
import type { Check, Drill, Found, Stage } from './drill.ts'
import { openBadConnections } from './load/bad-connections.ts'
import type { Phase } from './load/figures.ts'
import { p99Of, round, toFigures, within } from './load/figures.ts'
import type { HttpClient } from './load/http-client.ts'
import { createHttpClient } from './load/http-client.ts'
import type { Kind, Load, Sent } from './load/open-loop.ts'
import { startLoad } from './load/open-loop.ts'
import { pick } from './load/random.ts'
import { mustAllowFiles } from './open-files.ts'
import { toUserHeaders } from './users.ts'

const usersMax = 200
const perSecond = 50
/** The one asks for so many times what all others ask for together. */
const hogFactor = 10
const trickling = 100
/** Each takes 10,000 connections (`PANDO_HTTP_CONNECTIONS_MAX`). */
const gatewayWorkers = 2
/** What a process of the gateway has open besides the bad connections. */
const filesBesides = 1_500

type Random = () => number

/** Phones that behave badly, beside others that do not. */
export const badPhones: Drill = {
  name: 'bad-phones',
  about:
    'connections that do nothing, requests that trickle in, a user who wants everything: others are served as before',
  needs: { gatewayWorkers },
  async run(stage) {
    mustAllowFiles((stage.connections + trickling) / gatewayWorkers + filesBesides)
    const client = createHttpClient(stage.fleet.url)
    const [arrivals, choices, hogs] = [0, 1, 2].map((at) => seededRandom(stage.seed + at)) as [Random, Random, Random]
    const users = await Promise.all(Array.from({ length: usersMax }, () => toUserHeaders(stage.fleet.keys)))
    const hog = await toUserHeaders(stage.fleet.keys)
    const others = startLoad([toReads(client, () => pick(users, choices))], perSecond, arrivals)
    try {
      return await compare(stage, others, () => startLoad([toReads(client, () => hog)], perSecond * hogFactor, hogs))
    } finally {
      void others.stop()
      client.close()
    }
  },
}

const toReads = (client: HttpClient, headers: () => Record<string, string>): Kind => ({
  kind: 'read',
  weight: 1,
  send: () => client.ask({ path: '/rest/v1/drill_notes?select=id,ref&order=id.desc&limit=20', headers: headers() }),
})

/** How the others are served alone, beside bad connections, and beside the one who wants everything. */
async function compare(stage: Stage, others: Load, startHog: () => Load): Promise<Found> {
  const { fleet, connections, seconds, step, wait } = stage
  const phases: Phase[] = []
  const look = async (name: string): Promise<void> => {
    const fromMs = others.nowMs()
    await wait(seconds)
    phases.push({ name, fromMs, toMs: others.nowMs() })
  }
  step(`${perSecond} requests a second of ${usersMax} users`)
  // Connections and caches are warm before anything is compared.
  await wait(seconds / 2)
  await look('alone')
  step(`${connections} connections that say nothing, ${trickling} that say a letter a second`)
  const { hostname, port } = new URL(fleet.url)
  const bad = await openBadConnections({ hostname, port: Number(port), idle: connections, trickling })
  step(`all have come; ${bad.countOpen()} are open`)
  await look('bad connections').finally(bad.close)
  step(`at the end ${bad.countOpen()} were open`)
  // Ten thousand that leave at once are not what the hog does.
  await wait(seconds / 2)
  step(`one user asks ${perSecond * hogFactor} times a second`)
  const hog = startHog()
  await look('a hog').finally(() => void hog.stop())
  await look('alone again')
  const sent = await others.stop()
  const p99s = phases.map((phase) => p99Of(within(sent, phase)))
  return {
    promise: 'One phone cannot hurt another',
    checks: [1, 2].flatMap((at) => judge(phases[at]!, { sent, factor: p99s[at]! / p99s[0]! })),
    phases: phases.map((phase) => toFigures(sent, phase)),
    sent,
  }
}

function judge(phase: Phase, { sent, factor }: { readonly sent: readonly Sent[]; readonly factor: number }): Check[] {
  const p99 = { figure: round(factor), unit: '×', most: 1.2, isTimed: true }
  return [
    { name: `p99 of the others beside ${phase.name}, of that alone`, ...p99 },
    checkAnswered(`others answered beside ${phase.name}`, within(sent, phase)),
  ]
}
