// A process of clients for a test that kills what they follow: each listens to a room and writes numbers into it.
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientPlan, ClientReport, CrowdAnswers, CrowdTask } from './crowd.ts'
import { type Follower, type Numbered, startFollower } from './follower.ts'
import type { Said } from './phoenix.ts'

/** So many come at once. */
const arrivalsMax = 25

type Client = ClientPlan & { readonly follower: Follower }

const clients: Client[] = []
const writing = new AbortController()
const writers: Promise<void>[] = []
let url = ''
let apikey = ''
let writePauseMs = 0

process.on('disconnect', () => process.exit())
process.on('message', (task: CrowdTask) => {
  void run(task).then(
    (answer) => process.send!(answer),
    (error: Error) => process.send!({ error: error.message }),
  )
})

async function run(task: CrowdTask): Promise<CrowdAnswers[CrowdTask['kind']]> {
  switch (task.kind) {
    case 'come':
      ;({ url, apikey, writePauseMs } = task)
      await arrive([...task.plans])
      writers.push(...clients.map(keepWriting))
      return {}
    case 'move':
      url = task.url
      return {}
    case 'behind':
      return { behind: clients.filter(({ room, follower }) => follower.got.length < (task.counts[room] ?? 0)).length }
    case 'silence':
      writing.abort()
      await Promise.all(writers)
      return {}
    case 'leave':
      for (const { follower } of clients) follower.stop()
      return { reports: clients.map(toReport) }
  }
}

async function arrive(plans: ClientPlan[]): Promise<void> {
  const lane = async (): Promise<void> => {
    for (let plan = plans.pop(); plan !== undefined; plan = plans.pop()) {
      clients.push({ ...plan, follower: await follow(plan) })
    }
  }
  await Promise.all(Array.from({ length: arrivalsMax }, lane))
}

const follow = ({ room, hears }: ClientPlan): Promise<Follower> =>
  startFollower({
    url: () => url,
    apikey,
    ...(hears === 'messages'
      ? { topic: `room ${room}`, config: { broadcast: { replication_ready: true } }, read: readMessage }
      : { topic: `rows ${room}`, config: { postgres_changes: [toEntry(room, hears)] }, read: readRow }),
  })

const toEntry = (room: number, table: string): object => ({
  event: 'INSERT',
  schema: 'public',
  table,
  filter: `room=eq.${room}`,
})

function readRow({ event, payload }: Said): Numbered | undefined {
  if (event !== 'postgres_changes') return undefined
  const { record } = payload['data'] as { record: { id: number } }
  return { id: record.id, cursor: String(payload['cursor']) }
}

function readMessage({ event, payload }: Said): Numbered | undefined {
  if (event !== 'broadcast') return undefined
  const [{ number }, { cursor }] = [payload['payload'], payload['meta']] as [{ number: number }, { cursor: string }]
  return { id: number, cursor }
}

/** An answer that takes longer is not waited for. */
const answerMsMax = 10_000

/** Writes over every fault, and rests longer where nobody answers. A write without an answer may have been one. */
async function keepWriting({ writer, room, writesTo }: Client): Promise<void> {
  let failures = 0
  for (let n = 1; ; n += 1) {
    const pauseMs = (0.5 + Math.random()) * writePauseMs * 2 ** Math.min(failures, 3)
    const isToWrite = await sleep(pauseMs, true, { signal: writing.signal }).catch(() => false)
    if (!isToWrite) return
    const isAnswered = await write(writesTo, { writer, room, n }).catch(() => false)
    failures = isAnswered ? 0 : failures + 1
  }
}

async function write(table: string, row: object): Promise<boolean> {
  const headers = { apikey, 'Content-Type': 'application/json', Prefer: 'return=minimal' }
  const signal = AbortSignal.timeout(answerMsMax)
  const answer = await fetch(`${url}/rest/v1/${table}`, { method: 'POST', headers, body: JSON.stringify(row), signal })
  await answer.bytes()
  return answer.ok
}

const toReport = ({ room, hears, follower }: Client): ClientReport => ({
  room,
  hears,
  got: follower.got,
  again: follower.again,
  resyncs: follower.resyncs,
  connections: follower.connections(),
})
