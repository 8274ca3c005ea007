import type { Caller } from '@pando/core/caller'
import { credentialsOf } from '@pando/http/credentials'
import { compileOnce, type Types } from '@pando/http/shape'
import type { FastifyInstance } from 'fastify'
import type { PassedOn } from '../broadcast/line-broadcast.ts'
import type { Channels } from '../channels/create-channels.ts'
import type { RealtimeDeps } from '../deps.ts'
import { findPermissions } from '../private/find-permissions.ts'
import { isJson } from '../wire/decode.ts'
import { toBroadcastJson } from '../wire/encode.ts'

const validatorOfBatch = compileOnce((Type: Types) =>
  Type.Object({
    messages: Type.Array(
      Type.Object({
        topic: Type.String({ minLength: 1 }),
        event: Type.String({ minLength: 1 }),
        payload: Type.Record(Type.String(), Type.Unknown()),
        private: Type.Optional(Type.Boolean()),
        id: Type.Optional(Type.String()),
      }),
      { minItems: 1 },
    ),
  }),
)

type Target = { readonly topic: string; readonly isPrivate: boolean }

export type BroadcastDeps = Pick<RealtimeDeps, 'authenticate' | 'database' | 'options'>

/** Messages to channels without a socket: a batch, and one message of JSON or bytes. */
export function addBroadcastRoutes(app: FastifyInstance, deps: BroadcastDeps, channels: Pick<Channels, 'send'>): void {
  const { messageBytesMax: bodyLimit, messagesPerRequestMax } = deps.options
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, bytes, done) => done(null, bytes))

  /** Whether somebody may speak in a channel; a public one is everybody's. */
  const maySpeak = async (caller: Caller, { topic, isPrivate }: Target): Promise<boolean> =>
    !isPrivate || (await findPermissions(deps.database, caller, topic)).broadcast.write

  const send = ({ topic: name, isPrivate }: Target, sent: PassedOn): void => channels.send({ name, isPrivate }, sent)

  app.post('/api/broadcast', async (request, reply) => {
    const caller = await deps.authenticate(credentialsOf(request.raw))
    const body = parseJson(request.body)
    const batch = await validatorOfBatch()
    if (!batch.Check(body)) {
      const { instancePath, message } = batch.Errors(body)[0]!
      return reply.code(422).send({ errors: { messages: [`${instancePath || 'the body'} ${message}`] } })
    }
    if (body.messages.length > messagesPerRequestMax)
      return reply.code(422).send(tooMany(body.messages.length, messagesPerRequestMax))
    const allowed = new Map<string, Promise<boolean>>()
    for (const { topic, event, payload, id, private: isPrivate = false } of body.messages) {
      const target = { topic, isPrivate }
      if (isPrivate && !allowed.has(topic)) allowed.set(topic, maySpeak(caller, target))
      // Who may not speak is not told: nobody learns about policies from here.
      if (isPrivate && !(await allowed.get(topic))) continue
      send(target, { json: toBroadcastJson(event, JSON.stringify(payload), id === undefined ? undefined : { id }) })
    }
    return reply.code(202).send()
  })

  app.post<{ Params: { topic: string; event: string }; Querystring: { private?: string } }>(
    '/api/broadcast/:topic/events/:event',
    async (request, reply) => {
      const caller = await deps.authenticate(credentialsOf(request.raw))
      const { topic, event } = request.params
      const query = new URL(request.raw.url!, 'http://unused').searchParams
      const target = { topic, isPrivate: query.get('private') === 'true' }
      const isBinary = request.headers['content-type']?.startsWith('application/octet-stream') === true
      if (!isBinary && parseJson(request.body) === undefined)
        return reply.code(422).send({ errors: { payload: ['must be a JSON object, or application/octet-stream'] } })
      const bytes = (request.body as Buffer | undefined) ?? Buffer.alloc(0)
      if (await maySpeak(caller, target))
        send(target, { user: { event, encoding: isBinary ? 'binary' : 'json', bytes } })
      return reply.code(202).send()
    },
  )
}

const tooMany = (count: number, max: number): object => ({
  code: 'TooManyMessages',
  errors: { messages: [`are ${count}, and one request may have ${max}: send the rest in another one`] },
})

/** Undefined for whatever is no JSON object. */
function parseJson(body: unknown): object | undefined {
  if (!Buffer.isBuffer(body) || !isJson(body)) return undefined
  const value: unknown = JSON.parse(body.toString())
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
}
