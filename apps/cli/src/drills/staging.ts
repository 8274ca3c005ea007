import { randomUUID } from 'node:crypto'

import { Failure } from '../failure.ts'
import { none } from './checks.ts'
import type { Check, Found } from './drill.ts'
import type { HttpClient } from './load/http-client.ts'
import { createHttpClient } from './load/http-client.ts'
import type { Kind } from './load/open-loop.ts'
import type { SpikeStage } from './spike.ts'
import { runSpike } from './spike.ts'

/** An installation that runs somewhere, and what may be asked of it. */
export type Staging = {
  readonly url: string
  /** An API key; what it may read is read. */
  readonly key: string
  /** What is read, from the root of the address. */
  readonly path: string
  /** A table with a column `id uuid primary key` that gets a row by each tenth request; none is written without it. */
  readonly table: string | undefined
}

/** A spike against an address that somebody named: reads alone, and writes to the one table that they named. */
export async function spikeStaging(staging: Staging, stage: SpikeStage): Promise<Found> {
  const client = createHttpClient(staging.url)
  try {
    await mustAnswer(client, staging)
    const acknowledged = new Set<string>()
    const writes = staging.table === undefined ? [] : [toWrites(client, staging, acknowledged)]
    const found = await runSpike({ kinds: [toReads(client, staging), ...writes], callers }, stage)
    if (staging.table === undefined) return found
    return { ...found, checks: [...found.checks, await checkWritten(client, staging, acknowledged)] }
  } finally {
    client.close()
  }
}

const callers = 32
const writeWeight = 0.1

const headersOf = ({ key }: Staging): Record<string, string> => ({ apikey: key })

async function mustAnswer(client: HttpClient, staging: Staging): Promise<void> {
  const { status, text } = await client.ask({ path: staging.path, headers: headersOf(staging) })
  if (status === 200) return
  throw new Failure('api', `${staging.url}${staging.path} answers ${status === 0 ? text : `${status}: ${text}`}`, {
    remedy: 'Name what the key may read with --read, and the key with --key.',
  })
}

const toReads = (client: HttpClient, staging: Staging): Kind => ({
  kind: 'read',
  weight: 1 - writeWeight,
  send: () => client.ask({ path: staging.path, headers: headersOf(staging) }),
})

function toWrites(client: HttpClient, staging: Staging, acknowledged: Set<string>): Kind {
  const path = `/rest/v1/${encodeURIComponent(staging.table!)}`
  const headers = { ...headersOf(staging), prefer: 'return=minimal' }
  return {
    kind: 'write',
    weight: writeWeight,
    send: async () => {
      const id = randomUUID()
      const answer = await client.ask({ method: 'POST', path, headers, body: { id } })
      if (answer.status === 201) acknowledged.add(id)
      return answer
    },
  }
}

const pageMax = 100

/** Reads back, page by page, what was acknowledged. */
async function checkWritten(client: HttpClient, staging: Staging, acknowledged: ReadonlySet<string>): Promise<Check> {
  const ids = [...acknowledged]
  let seen = 0
  for (let at = 0; at < ids.length; at += pageMax) {
    const list = ids.slice(at, at + pageMax).join(',')
    const path = `/rest/v1/${encodeURIComponent(staging.table!)}?select=id&id=in.(${list})`
    const { status, text } = await client.ask({ path, headers: headersOf(staging) })
    if (status !== 200) throw new Failure('api', `What was written cannot be read back: ${status} ${text}`)
    seen += (JSON.parse(text) as unknown[]).length
  }
  return none('acknowledged writes that are lost', ids.length - seen)
}
