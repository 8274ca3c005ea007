import { once } from 'node:events'
import type { AddressInfo, Socket } from 'node:net'
import { createServer } from 'node:net'

import { expect, it } from 'vitest'

import { openBadConnections } from './bad-connections.ts'

it('has as many connections as were asked for, which come back when they are closed, and all go at the end', async () => {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket.on('error', () => undefined).resume())
    socket.on('close', () => open.delete(socket))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const bad = await openBadConnections({ hostname: '127.0.0.1', port, idle: 5, trickling: 2 })
  expect(bad.countOpen()).toBe(7)
  const first = [...open][0]!
  first.destroy()
  await expect.poll(() => [open.size, open.has(first)], { timeout: 20_000 }).toEqual([7, false])
  bad.close()
  await expect.poll(() => open.size, { timeout: 20_000 }).toBe(0)
  server.close()
}, 60_000)
