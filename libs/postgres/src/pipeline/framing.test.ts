import { Writable } from 'node:stream'
import { systemClock } from '@pando/core/clock'
import { deadlineIn } from '@pando/core/deadline'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Parameter } from '../exchange.ts'
import { createFlight, type Flight } from './flight.ts'
import { createFlightWatch } from './flight-watch.ts'
import { FrameWriter } from './frame-writer.ts'
import { PreparedStatements } from './prepared-statements.ts'
import { ReplyDispatch } from './reply-dispatch.ts'
import { ReplyReader } from './reply-reader.ts'

type Cell = string | null
type Reply = { rows: Cell[][]; tag: string }

const message = (type: string, body: Buffer) => {
  const head = Buffer.alloc(5)
  head.write(type, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}
const int = (bytes: 2 | 4, value: number) => {
  const buffer = Buffer.alloc(bytes)
  buffer.writeIntBE(value, 0, bytes)
  return buffer
}
const dataRow = (cells: Cell[]) =>
  message(
    'D',
    Buffer.concat([
      int(2, cells.length),
      ...cells.flatMap((cell) => (cell === null ? [int(4, -1)] : [int(4, Buffer.byteLength(cell)), Buffer.from(cell)])),
    ]),
  )
const answers = (replies: Reply[]) =>
  Buffer.concat([
    ...replies.flatMap(({ rows, tag }) => [
      message('1', Buffer.alloc(0)),
      message('2', Buffer.alloc(0)),
      ...rows.map(dataRow),
      message('N', Buffer.from('SNOTICE\0Mhello\0\0')),
      message('C', Buffer.from(`${tag}\0`)),
    ]),
    message('Z', Buffer.from('I')),
  ])

/** Feeds a stream of replies in the given pieces to one flight and returns what its caller gets. */
async function receive(count: number, pieces: Buffer[]): Promise<Reply[]> {
  const flights: Flight[] = []
  const statements = Array.from({ length: count }, () => ({ text: 'select 1', params: [] }))
  const envelope = { statements, firstWanted: 0, endWanted: count, named: true, ends: 'I' as const }
  const plan = { role: 'anon', access: 'read' as const, envelope, statements, signal: undefined }
  const deadline = deadlineIn(systemClock, 60_000)
  const results = createFlight({ ...plan, deadline }, createFlightWatch(20), (flight) => flights.push(flight))
  const fail = (error: unknown) => flights[0]!.fail(new Error(`unexpected: ${String(error)}`))
  const reader = new ReplyReader(
    new ReplyDispatch(
      flights,
      {
        ready: () => flights.shift()!.succeed(),
        fatal: fail,
        strayed: fail,
        settingChanged: () => fail('S'),
        overflowed: fail,
      },
      1_000_000,
    ),
  )
  for (const piece of pieces) reader.read(piece)
  return (await results).map(({ rows, tag }) => ({
    rows: rows.map((row) => row.map((cell) => cell?.toString() ?? null)),
    tag,
  }))
}

const replies = fc.array(
  fc.record({
    rows: fc.array(fc.array(fc.option(fc.string({ unit: 'binary', maxLength: 12 })), { maxLength: 4 }), {
      maxLength: 4,
    }),
    tag: fc.constantFrom('SELECT 1', 'INSERT 0 3', 'RESET'),
  }),
  { maxLength: 3 },
)

test('replies that are cut at any one byte give equal results', async () => {
  await fc.assert(
    fc.asyncProperty(replies, async (wanted) => {
      const bytes = answers(wanted)
      for (let at = 0; at <= bytes.length; at++) {
        expect(await receive(wanted.length, [bytes.subarray(0, at), bytes.subarray(at)])).toEqual(wanted)
      }
    }),
    { numRuns: 30 },
  )
})

test('replies that come in pieces of any sizes, down to single bytes, give equal results', async () => {
  await fc.assert(
    fc.asyncProperty(replies, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), async (wanted, sizes) => {
      const bytes = answers(wanted)
      const pieces: Buffer[] = []
      for (let at = 0, i = 0; at < bytes.length; at += sizes[i++ % sizes.length]!) {
        pieces.push(bytes.subarray(at, at + sizes[i % sizes.length]!))
      }
      expect(await receive(wanted.length, pieces)).toEqual(wanted)
    }),
  )
})

test('a message length that cannot be is refused instead of waited for', () => {
  const reader = new ReplyReader({ reply: () => {} })
  expect(() => reader.read(Buffer.from([0x44, 0xff, 0xff, 0xff, 0xff]))).toThrow(/out of step/)
})

/** A socket that takes a little at a time, and what it has taken. */
function slowSocket(highWaterMark: number) {
  const taken: Buffer[] = []
  const socket = new Writable({
    highWaterMark,
    write(chunk: Buffer, _, done) {
      // What the writer reuses too early would be seen here, for the bytes are copied late.
      setImmediate(() => {
        taken.push(Buffer.from(chunk))
        done()
      })
    },
  })
  return { socket, taken }
}

/** Reads frontend messages back: what a server would understand. */
function understand(bytes: Buffer): { type: string; params?: Cell[]; name?: string; text?: string }[] {
  const seen = []
  for (let at = 0; at < bytes.length;) {
    const type = String.fromCharCode(bytes[at]!)
    const end = at + 1 + bytes.readInt32BE(at + 1)
    const body = bytes.subarray(at + 5, end)
    if (type === 'B') seen.push({ type, ...toBind(body) })
    else if (type === 'P') {
      const [name, text] = body.toString().split('\0')
      seen.push({ type, name: name!, text: text! })
    } else seen.push({ type })
    at = end
  }
  return seen
}

function toBind(body: Buffer): { name: string; params: Cell[] } {
  expect(body[0]).toBe(0)
  const nameEnd = body.indexOf(0, 1)
  let at = nameEnd + 1
  expect(body.readInt16BE(at)).toBe(0)
  const count = body.readUInt16BE(at + 2)
  at += 4
  const params: Cell[] = []
  for (let i = 0; i < count; i++) {
    const length = body.readInt32BE(at)
    at += 4
    params.push(length < 0 ? null : body.toString('utf8', at, at + length))
    at += Math.max(0, length)
  }
  expect(body.length - at).toBe(2)
  return { name: body.toString('latin1', 1, nameEnd), params }
}

const text = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.nat({ max: 40_000 }).map((length) => 'é'.repeat(length)),
)
const parameter: fc.Arbitrary<{ given: Parameter; read: Cell }> = fc.oneof(
  fc.constant({ given: null, read: null }),
  text.map((value) => ({ given: value, read: value })),
  fc
    .array(text, { maxLength: 5 })
    .map((parts) => ({ given: parts.map((part) => Buffer.from(part)), read: parts.join('') })),
)

test('what is written through a slow socket is what a server reads, whatever the sizes and chunks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(parameter, { maxLength: 6 }), { minLength: 1, maxLength: 12 }),
      fc.constantFrom(1, 100, 16_384, 1_000_000),
      async (statements, highWaterMark) => {
        const { socket, taken } = slowSocket(highWaterMark)
        const writer = new FrameWriter(socket as never)
        const prepared = new PreparedStatements(100)
        const wanted = []
        for (const [i, params] of statements.entries()) {
          const statement = prepared.add(`select ${i}`)
          writer.parse(statement.name, statement.text)
          writer.bindAndExecute(
            statement,
            params.map(({ given }) => given),
          )
          writer.sync()
          wanted.push({ type: 'P', name: statement.name, text: statement.text })
          wanted.push(
            { type: 'B', name: statement.name, params: params.map(({ read }) => read) },
            { type: 'E' },
            { type: 'S' },
          )
          if (i % 3 === 0) writer.flush()
        }
        writer.flush()
        while (!writer.drained) await new Promise((resolve) => setImmediate(resolve))
        expect(understand(Buffer.concat(taken))).toEqual(wanted)
      },
    ),
    { numRuns: 60 },
  )
})

test('chunks of a large parameter reach the socket as they are, one high-water mark at a time', () => {
  const written: unknown[] = []
  const socket = new Writable({ highWaterMark: 1_000, write: (chunk) => void written.push(chunk) })
  const writer = new FrameWriter(socket as never)
  const chunks = Array.from({ length: 50 }, () => Buffer.alloc(600))
  const statement = new PreparedStatements(1).add('select $1')
  writer.bindAndExecute(statement, [chunks])
  writer.flush()
  expect(socket.writableLength).toBeLessThan(2_000)
  expect(writer.congested).toBe(true)
  expect(written.every((chunk) => chunk === chunks[0] || (chunk as Buffer).length < 100)).toBe(true)
})
