// A process of load: opens many sockets, counts what arrives on them, and how long it took.
import { quantiles } from '../auth/load.ts'
import { openRawSocket, type RawSocket } from './raw-socket.ts'

/** What the suite asks of a crowd; each is answered once. */
export type CrowdTask =
  | {
      readonly kind: 'open'
      readonly port: number
      readonly path: string
      readonly count: number
    }
  /** Each socket sends these texts, and is in when it got an answer that contains `welcome`. `{n}` is its number. */
  | {
      readonly kind: 'greet'
      readonly hello: readonly string[]
      readonly welcome: string
      /** Each own values for `{token}`. */
      readonly tokens?: readonly string[]
    }
  /** Messages with this text count; those that carry a time (`"at":…`, milliseconds) are timed. */
  | { readonly kind: 'count'; readonly text: string }
  | { readonly kind: 'report' }
  /** The first socket sends `text`, so many a second; `{at}` is the time. Of rate 0: one more whenever one came back. */
  | { readonly kind: 'send'; readonly text: string; readonly perSecond: number; readonly seconds: number }
  | { readonly kind: 'close' }

export type CrowdReport = {
  readonly messages: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const sockets: RawSocket[] = []
/** So many handshakes, or joins, at once. */
const underWayMax = 64
/** Ports of one address are not enough for all. */
const socketsPerAddress = 10_000

const onWelcome = new Map<number, () => void>()
let welcomeText = Buffer.alloc(0)
let counted: Buffer | undefined
let messages = 0
let sinceMs = performance.now()
let latencies: number[] = []
let onOwn: (() => void) | undefined
const at = Buffer.from('"at":')
const committed = Buffer.from('"commit_timestamp":"')
const nowMs = (): number => performance.timeOrigin + performance.now()

process.on('message', (task: CrowdTask) => {
  void run(task).then((answer) => process.send!(answer ?? {}))
})

async function run(task: CrowdTask): Promise<object | undefined> {
  switch (task.kind) {
    case 'open':
      return open(task)
    case 'greet':
      return greet(task)
    case 'count':
      counted = Buffer.from(task.text)
      messages = 0
      latencies = []
      sinceMs = performance.now()
      return undefined
    case 'report': {
      const seconds = (performance.now() - sinceMs) / 1000
      return { messages, seconds, ...quantiles(latencies) } satisfies CrowdReport
    }
    case 'send':
      return send(task)
    case 'close':
      for (const socket of sockets.splice(0)) socket.close()
      return undefined
  }
}

/** Runs the work for each of `count` numbers, `underWayMax` at once; resolves to the seconds that it took. */
async function forEach(count: number, work: (number: number) => Promise<void>): Promise<number> {
  const startMs = performance.now()
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: underWayMax }, lane))
  return (performance.now() - startMs) / 1000
}

async function open({ port, path, count }: Extract<CrowdTask, { kind: 'open' }>): Promise<object> {
  const seconds = await forEach(count, async (number) => {
    const localAddress = `127.0.0.${2 + Math.floor(number / socketsPerAddress)}`
    const onMessage = (message: Buffer): void => hear(message, number)
    sockets[number] = await openRawSocket({ port, path, localAddress, onMessage })
  })
  return { seconds }
}

async function greet({ hello, welcome, tokens }: Extract<CrowdTask, { kind: 'greet' }>): Promise<object> {
  welcomeText = Buffer.from(welcome)
  const seconds = await forEach(sockets.length, (number) => {
    const token = tokens?.[number % tokens.length] ?? ''
    for (const each of hello) sockets[number]!.send(each.replaceAll('{n}', String(number)).replaceAll('{token}', token))
    return new Promise((resolve) => onWelcome.set(number, resolve))
  })
  return { seconds }
}

function hear(message: Buffer, number: number): void {
  if (onWelcome.size > 0 && message.includes(welcomeText)) {
    onWelcome.get(number)?.()
    onWelcome.delete(number)
  }
  if (counted === undefined || !message.includes(counted)) return
  messages += 1
  if (number === 0) onOwn?.()
  const sentMs = timeIn(message)
  if (sentMs !== undefined) latencies.push(nowMs() - sentMs)
}

/** When a message was sent, or its row committed, by the clock of this machine. */
function timeIn(message: Buffer): number | undefined {
  let place = message.indexOf(at)
  if (place >= 0) return Number.parseFloat(message.toString('latin1', place + at.length, place + at.length + 20))
  place = message.indexOf(committed)
  // To the millisecond: microseconds are cut.
  return place < 0
    ? undefined
    : Date.parse(`${message.toString('latin1', place + committed.length, place + committed.length + 23)}Z`)
}

/** At most so many are under way when one is sent for each that came back. */
const windowMax = 8

async function send({ text, perSecond, seconds }: Extract<CrowdTask, { kind: 'send' }>): Promise<object> {
  const say = (): void => sockets[0]!.send(text.replaceAll('{at}', nowMs().toFixed(3)))
  const startMs = performance.now()
  const endMs = startMs + seconds * 1000
  if (perSecond === 0) {
    onOwn = () => {
      if (performance.now() < endMs) say()
    }
    for (let count = 0; count < windowMax; count += 1) say()
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
    onOwn = undefined
    return {}
  }
  for (let sent = 0; performance.now() < endMs; sent += 1) {
    const dueMs = startMs + (sent / perSecond) * 1000
    if (dueMs > performance.now()) await new Promise((resolve) => setTimeout(resolve, dueMs - performance.now()))
    say()
  }
  return {}
}
