import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createNetwork, type Network } from './network.ts'

const port = 7001
const server = `require('node:net').createServer((socket) => socket.on('error', () => {}).pipe(socket))
  .listen(${port}, '127.0.0.1', () => console.log('ready'))`
/** Sends bytes and says how many came back, or what happened instead. */
const client = (bytes: number, silenceMs: number): string => `
  let back = 0
  const socket = require('node:net').connect(${port}, '127.0.0.1')
  socket.setTimeout(${silenceMs}, () => { console.log('silence'); socket.destroy() })
  socket.on('error', ({ code }) => console.log(code))
  socket.on('data', (data) => { back += data.length; if (back === ${bytes}) { console.log(back); socket.end() } })
  socket.write(Buffer.alloc(${bytes}))`

// Namespaces are for root on Linux; CI is.
describe.runIf(process.getuid?.() === 0)('a network of its own', () => {
  let network: Network
  let serving: ChildProcess

  beforeEach(async () => {
    network = createNetwork()
    serving = network.spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(serving.stdout!, 'data')
  })
  afterEach(async () => {
    serving.kill('SIGKILL')
    await once(serving, 'close')
    network.remove()
  })

  async function send(bytes: number, silenceMs = 60_000): Promise<string> {
    const child = network.spawn(process.execPath, ['-e', client(bytes, silenceMs)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return (await text(child.stdout!)).trim()
  }

  test('loses packets, and TCP sends them again', async () => {
    network.lose(port, 5)
    expect(await send(200_000)).toBe('200000')
  })

  test('is slow, and everything arrives', async () => {
    network.limit(1_000_000)
    expect(await send(200_000)).toBe('200000')
  })

  test('is cut, resets, and heals', async () => {
    network.cut(port)
    expect(await send(10, 1500)).toBe('silence')
    network.heal()
    network.reset(port)
    expect(await send(10)).toBe('ECONNREFUSED')
    network.heal()
    expect(await send(10)).toBe('10')
  })

  test('is not the network of the machine', async () => {
    const outside = await import('node:net')
    const [error] = (await once(outside.connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNREFUSED')
  })
})
