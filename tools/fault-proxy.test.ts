import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type FaultProxy, type Faults, startFaultProxy } from './fault-proxy.ts'

/** Random numbers that are the same in each run. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    const mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

let echo: Server
let proxy: FaultProxy
/** What the server has been sent, a piece each. */
let arrived: Buffer[]

beforeEach(async () => {
  arrived = []
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('data', (piece: Buffer) => arrived.push(piece)).on('error', () => undefined)
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  proxy = await startFaultProxy(`tcp://127.0.0.1:${(echo.address() as AddressInfo).port}`, mulberry(1))
})
afterEach(async () => {
  await proxy.stop()
  echo.close()
})

const open = (): Socket => connect({ port: Number(new URL(proxy.url).port), host: '127.0.0.1', allowHalfOpen: true })

/** What comes back of `bytes` when the line is then closed. */
async function send(bytes: Buffer, faults: Faults): Promise<Buffer> {
  proxy.set(faults)
  const socket = open()
  socket.end(bytes)
  return await buffer(socket)
}

describe('the fault proxy', () => {
  test('passes every byte in order, however late, slow and sliced', async () => {
    const anyFaults = fc.record({
      latencyMs: fc.integer({ min: 0, max: 5 }),
      jitterMs: fc.integer({ min: 0, max: 5 }),
      sliceBytes: fc.integer({ min: 1, max: 4000 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 20_000 }), anyFaults, async (bytes, faults) => {
        expect(await send(Buffer.from(bytes), faults)).toEqual(Buffer.from(bytes))
      }),
      { numRuns: 50 },
    )
  })

  test('keeps the order of what comes piece by piece, however uneven the line is', async () => {
    proxy.set({ latencyMs: 10, jitterMs: 10 })
    const socket = open()
    for (let number = 0; number < 200; number += 1) {
      socket.write(`${number},`)
      await new Promise((resolve) => setTimeout(resolve, number % 3))
    }
    socket.end()
    const numbers = (await buffer(socket)).toString().split(',')
    expect(numbers).toEqual([...Array.from({ length: 200 }, (_, number) => String(number)), ''])
  })

  test('slices', async () => {
    await send(Buffer.from('abcdef'), { sliceBytes: 2, sliceGapMs: 30 })
    expect(Buffer.concat(arrived).toString()).toBe('abcdef')
    expect(arrived.length).toBeGreaterThan(1)
  })

  test('delays by the latency, both ways', async () => {
    const startedMs = performance.now()
    await send(Buffer.from('a'), { latencyMs: 40 })
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(79)
  })

  test('lets so many bytes pass in a second', async () => {
    const startedMs = performance.now()
    await send(Buffer.alloc(10_000), { bytesPerSecond: 100_000 })
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(99)
  })

  test('swallows in one direction and tells nobody', async () => {
    proxy.set({ swallows: 'toClient' })
    const socket = open()
    const heard: Buffer[] = []
    socket.on('data', (piece: Buffer) => heard.push(piece))
    socket.write('lost on the way back')
    await expect.poll(() => Buffer.concat(arrived).toString()).toBe('lost on the way back')
    proxy.set({})
    socket.write(', and this is not')
    await expect.poll(() => Buffer.concat(heard).toString()).toBe(', and this is not')
    socket.destroy()
  })

  test('freezes what is open, not what comes', async () => {
    const frozen = open()
    frozen.write('one')
    await expect.poll(() => arrived.length).toBe(1)
    proxy.freeze()
    frozen.write('two')
    expect((await send(Buffer.from('three'), {})).toString()).toBe('three')
    expect(Buffer.concat(arrived).toString()).toBe('onethree')
    frozen.destroy()
  })

  test('refuses and resets', async () => {
    proxy.set({ refuses: true })
    const [refused] = (await once(open(), 'error')) as [NodeJS.ErrnoException]
    expect(refused.code).toBe('ECONNRESET')
    proxy.set({})
    const socket = open()
    socket.write('here')
    await expect.poll(() => arrived.length).toBe(1)
    expect(proxy.connectionCount()).toBe(1)
    proxy.reset()
    const [reset] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(reset.code).toBe('ECONNRESET')
    await expect.poll(() => proxy.connectionCount()).toBe(0)
  })

  test('ends when the server is not there', async () => {
    echo.close()
    const [error] = (await once(open(), 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
  })
})
