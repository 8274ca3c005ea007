// People who sign in on a schedule, whatever the server does; a process of its own. Reads its plan as JSON, prints a `Crowd`.
import { text } from 'node:stream/consumers'
import { Pool } from 'undici'
import type { Call } from './load.ts'
import type { Crowd } from './storm.ts'

const plan = JSON.parse(await text(process.stdin)) as {
  readonly origin: string
  readonly call: Call
  readonly offeredPerSecond: number
  readonly seconds: number
}
const { method, path, headers, body } = plan.call
const pool = new Pool(plan.origin, { connections: 128 })
const refused: number[] = []
let admitted = 0
let withoutRetryAfter = 0

async function signIn(): Promise<void> {
  const sentMs = performance.now()
  const answer = await pool.request({
    method,
    path,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await answer.body.dump()
  if (answer.statusCode === 200) admitted += 1
  else {
    refused.push(performance.now() - sentMs)
    if (answer.headers['retry-after'] === undefined) withoutRetryAfter += 1
  }
}

const startMs = performance.now()
const open: Promise<void>[] = []
for (let sent = 0; performance.now() - startMs < plan.seconds * 1000;) {
  const due = Math.floor(((performance.now() - startMs) / 1000) * plan.offeredPerSecond)
  while (sent < due) {
    sent += 1
    open.push(signIn())
  }
  await new Promise((resolve) => setTimeout(resolve, 5))
}
await Promise.all(open)
const crowd: Crowd = { admitted, refused, withoutRetryAfter, tookSeconds: (performance.now() - startMs) / 1000 }
process.stdout.write(JSON.stringify(crowd))
await pool.destroy()
