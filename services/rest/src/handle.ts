import type { Caller } from '@pando/core/caller'
import type { Catalogue } from '@pando/catalogue/catalogue'
import { onClientGone } from '@pando/http/client-gone'
import { endRequestStage } from '@pando/http/request-state'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answer } from './answer.ts'
import { createCompiler } from './compiler.ts'
import type { Compiler } from './compiler.ts'
import type { RestDeps } from './deps.ts'
import { toEffectiveConfig } from './effective-config.ts'
import { describeRoot } from './describe-root.ts'
import { errors } from './errors.ts'
import { execute } from './execute.ts'
import { toPageRange } from './page-range.ts'
import { limitBytes } from './limit-bytes.ts'
import { isFault, renderError } from './render-error.ts'
import type { ApiRequest } from './request/api-request.ts'
import { allowedPreferences } from './request/parse-preferences.ts'
import { parseRequest } from './request/parse-request.ts'
import { readBody } from './request/read-body.ts'
import type { ReadBody } from './request/read-body.ts'
import { requestSettings, statementSettings } from './request-settings.ts'
import { describeVerbs, respond } from './respond.ts'
import type { RestConfig } from './rest-config.ts'

/** Where the service's paths start. */
export const prefix = '/rest/v1'

/** What belongs to one catalogue: it lives and dies with it. */
type Generation = { readonly catalogue: Catalogue; readonly config: RestConfig; readonly compile: Compiler }

/** The way of a request through this service: who calls → parse → plan → one trip to Postgres → answer. */
export function createHandler(deps: RestDeps): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  const generationOf = createGenerations(deps)
  return async (request, reply) => {
    let caller: Caller | undefined
    try {
      const who = deps.authenticate({
        authorization: request.headers.authorization,
        apikey: request.headers['apikey'] as string | undefined,
      })
      caller = who instanceof Promise ? await who : who
      request.state.role = caller.role
      endRequestStage(request, 'auth')
      return send(reply, await answer(deps, generationOf(), { caller, raw: request, reply }))
    } catch (error) {
      if (isFault(error)) request.log.error(error)
      const role = caller?.role ?? deps.anonRole
      const failed = { role, isAnonymous: role === deps.anonRole, method: request.method }
      return send(reply, renderError(error, failed))
    }
  }
}

type Arrived = { readonly caller: Caller; readonly raw: FastifyRequest; readonly reply: FastifyReply }

async function answer(deps: RestDeps, generation: Generation, { caller, raw, reply }: Arrived): Promise<Answer> {
  const { catalogue, config, compile } = generation
  const { path, rawQuery } = splitUrl(raw.raw.url as string)
  const asked = parseRequest(
    { method: raw.method, path: path.slice(prefix.length), rawQuery, header: (name) => raw.headers[name]?.toString() },
    { schemas: config.schemas },
  )
  const request = withAllowedPreferences(asked, generation)
  if (request.method === 'OPTIONS') return describeVerbs(request.target, catalogue)
  const { deadline } = raw.state
  const signal = hangUpSignal(reply)
  if (request.target.kind === 'root') {
    const scheme = raw.protocol === 'https' ? 'https' : 'http'
    const root = { catalogue, config, caller, request, deadline, signal, headers: raw.headers, scheme, path } as const
    return describeRoot(deps, root)
  }
  const { shape, chunks } = takesBody(request) ? await readRequestBody(raw, request, deps.options.bodyBytesMax) : noBody
  endRequestStage(raw, 'parse')
  const compiled = compile(request, shape)
  endRequestStage(raw, 'plan')
  const settings = [
    ...requestSettings({ caller, method: raw.method, path, headers: raw.headers }),
    ...statementSettings(request, compiled, config),
  ]
  const range = toPageRange(request, config.maxRows)
  const execution = {
    request,
    rawQuery,
    compiled,
    settings,
    config,
    range,
    deadline,
    signal,
    role: caller.role,
    body: chunks,
  }
  const found = await execute(deps, execution)
  endRequestStage(raw, 'transaction')
  return respond(execution, found)
}

/** Leaves out what the server does not know or does not allow; with `handling=strict` such a request is refused (PGRST122). */
function withAllowedPreferences(asked: ApiRequest, { catalogue, config }: Generation): ApiRequest {
  const allowsTransaction = config.txEnd.endsWith('allow-override')
  const { timezones } = catalogue
  const preferences = allowedPreferences(asked.preferences, { timezones, allowsTransaction })
  if (preferences.handling === 'strict' && preferences.invalid.length > 0) throw errors.preferences(preferences.invalid)
  return { ...asked, preferences }
}

const noBody: ReadBody = { shape: { kind: 'none' }, chunks: [] }

const takesBody = ({ method }: ApiRequest): boolean => method === 'POST' || method === 'PATCH' || method === 'PUT'

function readRequestBody(raw: FastifyRequest, request: ApiRequest, bytesMax: number): Promise<ReadBody> {
  return readBody(limitBytes(raw.raw, bytesMax), {
    contentType: request.contentType,
    isRoutine: request.target.kind === 'routine',
    hasColumns: request.query.columns !== undefined && request.method !== 'PUT',
  })
}

function splitUrl(url: string): { path: string; rawQuery: string } {
  const mark = url.indexOf('?')
  return mark === -1 ? { path: url, rawQuery: '' } : { path: url.slice(0, mark), rawQuery: url.slice(mark + 1) }
}

/** Aborts when the client closes the connection before it was answered. */
function hangUpSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  onClientGone(reply, () => controller.abort())
  return controller.signal
}

function send(reply: FastifyReply, answer: Answer): FastifyReply {
  reply.code(answer.status)
  if (answer.statusText !== undefined) reply.raw.statusMessage = answer.statusText
  return reply.headers(answer.headers).send(answer.body)
}

function createGenerations({ catalogue, options }: RestDeps): () => Generation {
  let current: Generation | undefined
  return () => {
    const latest = catalogue()
    if (latest === undefined) throw errors.catalogueMissing()
    if (current?.catalogue !== latest) {
      const { config } = toEffectiveConfig(options, latest.inDatabaseConfig)
      current = { catalogue: latest, config, compile: createCompiler(latest, config, options.compiledMax) }
    }
    return current
  }
}
