import Fastify, { type FastifyInstance } from 'fastify'
import { beforeEach, expect, test } from 'vitest'
import { realtimeDefaults } from '../testing/realtime-defaults.ts'
import { addBroadcastRoutes, type BroadcastDeps } from './add-broadcast-routes.ts'

let app: FastifyInstance
let sent: string[]

beforeEach(() => {
  sent = []
  app = Fastify()
  const deps: BroadcastDeps = {
    authenticate: async () => ({ role: 'anon', claims: {}, claimsJson: '{}' }),
    database: undefined as never, // public channels ask nobody
    options: { ...realtimeDefaults, messagesPerRequestMax: 3 },
  }
  addBroadcastRoutes(app, deps, { send: ({ name }) => sent.push(name) })
})

const post = (count: number) =>
  app.inject({
    method: 'POST',
    url: '/api/broadcast',
    payload: { messages: Array.from({ length: count }, (_, at) => ({ topic: `t${at}`, event: 'e', payload: {} })) },
  })

test('so many messages may come in one request', async () => {
  expect((await post(3)).statusCode).toBe(202)
  expect(sent).toEqual(['t0', 't1', 't2'])
})

test('of a request with more none is sent, and the answer names the limit', async () => {
  const answer = await post(4)
  expect([answer.statusCode, answer.json()]).toEqual([
    422,
    {
      code: 'TooManyMessages',
      errors: { messages: ['are 4, and one request may have 3: send the rest in another one'] },
    },
  ])
  expect(sent).toEqual([])
})
