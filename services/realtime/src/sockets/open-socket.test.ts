import { acceptUpgrades } from '@pando/http/upgrades'
import Fastify, { type FastifyInstance } from 'fastify'
import { type IncomingMessage, request } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { realtimeDefaults } from '../testing/realtime-defaults.ts'
import { createSockets } from './create-sockets.ts'
import { openSocket } from './open-socket.ts'

let app: FastifyInstance
const opens: Socket[] = []
const subject = { sub: undefined as string | undefined }

beforeEach(async () => {
  const sockets = createSockets({
    options: { ...realtimeDefaults, socketsMax: 2, socketsPerUserMax: 1 },
    clock: { now: () => 0, monotonic: () => 0 },
    onMessage: () => {},
    onGone: () => {},
    onMalformed: () => {},
  })
  const authenticate = async () => ({ role: 'anon', claims: { ...subject }, claimsJson: '{}' })
  app = Fastify()
  acceptUpgrades(app, () => true)
  app.get('/websocket', (asked, reply) => openSocket({ authenticate, sockets }, asked, reply))
  await app.listen({ port: 0, host: '127.0.0.1' })
})
afterEach(async () => {
  for (const socket of opens.splice(0)) socket.destroy()
  await app.close()
})

const handshake = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' }
const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' }

/** Status, and the code and text of a refusal. */
async function ask(query: string, headers: Record<string, string>): Promise<unknown> {
  const { port } = app.server.address() as AddressInfo
  const asked = request({ host: '127.0.0.1', port, path: `/websocket${query}`, headers }).end()
  const opened = once(asked, 'upgrade').then(([, socket]) => {
    opens.push(socket as Socket)
    return 101
  })
  const refused = once(asked, 'response').then(async ([answer]) => {
    const { statusCode } = answer as IncomingMessage
    return [statusCode, JSON.parse(await text(answer as IncomingMessage))] as const
  })
  return Promise.race([opened, refused])
}

test('who is refused is told so by a code as well', async () => {
  expect(await ask('', {})).toEqual([426, { code: 'UpgradeRequired', error: 'This address speaks WebSocket only.' }])
  expect(await ask('', handshake)).toEqual([
    400,
    { code: 'InvalidHandshake', error: 'Sec-WebSocket-Key must be 16 bytes in base64.' },
  ])
  expect(await ask('?vsn=3.0.0', { ...handshake, ...key })).toEqual([
    400,
    { code: 'UnsupportedVersion', error: 'vsn must be 1.0.0 or 2.0.0.' },
  ])
})

test('limits have codes of their own', async () => {
  const open = (sub?: string): Promise<unknown> => {
    subject.sub = sub
    return ask('', { ...handshake, ...key })
  }
  expect(await open('ann')).toBe(101)
  expect(await open('ann')).toEqual([
    429,
    { code: 'UserConnectionRateLimitReached', error: 'Too many connections of this user' },
  ])
  expect(await open()).toBe(101)
  expect(await open()).toEqual([429, { code: 'ConnectionRateLimitReached', error: 'Too many connected users' }])
})
