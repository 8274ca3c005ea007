import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { realtimeDefaults as options } from '../testing/realtime-defaults.ts'
import { createSockets, type Sockets } from './create-sockets.ts'

let server: Server
let sockets: Sockets
let nowMs = 0
const gone: unknown[] = []

beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  sockets = createSockets({
    options,
    clock: { now: () => 0, monotonic: () => nowMs },
    onMessage: () => {},
    onGone: (client) => gone.push(client),
    onMalformed: () => {},
  })
})
afterEach(async () => {
  await sockets.closeAll(1001, '')
  server.close()
})

const opening = { version: 2, caller: { role: 'anon', claims: {}, claimsJson: '{}' }, credentials: {} } as const

/** Both ends of a connection; the client's does not close when the server's does. */
async function openPair(): Promise<{ client: Socket; socket: Socket }> {
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true })
  client.on('error', () => undefined)
  const [socket] = (await once(server, 'connection')) as [Socket]
  // As the HTTP server does.
  socket.on('error', () => socket.destroy())
  return { client, socket }
}

test('a client that says nothing is closed, and ended when it does not close its side, whatever it sends', async () => {
  const { client, socket } = await openPair()
  sockets.open({ socket, head: Buffer.alloc(0) }, opening)
  nowMs += options.heartbeatTimeout + 1
  sockets.closeSilent()
  const [farewell] = (await once(client, 'data')) as [Buffer]
  expect(farewell.readUInt16BE(2)).toBe(1001)
  expect(gone).toHaveLength(1)
  client.write('more')
  sockets.closeSilent()
  expect([socket.destroyed, sockets.count()]).toEqual([false, 1])
  nowMs += 5_000
  sockets.closeSilent()
  expect(socket.destroyed).toBe(true)
  await once(socket, 'close')
  expect(sockets.count()).toBe(0)
  client.destroy()
})

test('a client that went away before it was let in is not counted', async () => {
  const { client, socket } = await openPair()
  socket.destroy()
  await once(socket, 'close')
  sockets.open({ socket, head: Buffer.alloc(0) }, opening)
  expect(sockets.count()).toBe(0)
  client.destroy()
})

test('those that are told to come back are closed in groups, so that they do not all come at once', async () => {
  const clients: Socket[] = []
  for (let count = 0; count < 6; count += 1) {
    const { client, socket } = await openPair()
    sockets.open({ socket, head: Buffer.alloc(0) }, opening)
    clients.push(client)
  }
  const before = gone.length
  const closing = sockets.closeAll(1012, 'restarting', 150)
  expect(gone.length - before).toBe(2)
  await closing
  expect(gone.length - before).toBe(6)
  for (const client of clients) client.destroy()
})
