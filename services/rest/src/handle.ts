import type { Authenticate } from '@pando/core/authenticate'
import type { Caller } from '@pando/core/caller'
import type { Catalogue } from '@pando/catalogue/catalogue'
import { HangUp } from '@pando/http/client-gone'
import { credentialsOf, withoutApikey } from '@pando/http/credentials'
import { endRequestStage } from '@pando/http/request-state'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Answer } from './answer.ts'
import { answerKept, answerRequest, answerStale, type Served } from './answer-request.ts'
import { createCompiler } from './compiler.ts'
import type { Compiler } from './compiler.ts'
import { consistencyOf, withCommit } from './consistency.ts'
import type { RestDeps } from './deps.ts'
import { describeRoot } from './describe-root.ts'
import type { RootRequest } from './describe-root.ts'
import { errors } from './errors.ts'
import type { Execution } from './execute.ts'
import { toPageRange } from './page-range.ts'
import { createKnownReads } from './known-reads.ts'
import { limitBytes } from './limit-bytes.ts'
import { isFault, renderError } from './render-error.ts'
import type { ApiRequest } from './request/api-request.ts'
import { allowedPreferences } from './request/parse-preferences.ts'
import { parseRequest } from './request/parse-request.ts'
import { readBody } from './request/read-body.ts'
import type { ReadBody } from './request/read-body.ts'
import { requestSettings, statementSettings } from './request-settings.ts'
import { describeVerbs } from './respond.ts'
import type { RestConfig } from './rest-config.ts'
import { findShardKey, withShardKey } from './shard-key.ts'
import { tokenSettings } from './token-rules.ts'

/** Where the service's paths start. */
export const prefix = '/rest/v1'

/** What belongs to one catalogue: it lives and dies with it. */
type Generation = Served & {
  readonly config: RestConfig
  readonly compile: Compiler
  readonly authenticate: Authenticate
}

export type Handler = {
  readonly handle: Handle
  /** Answers a request that is refused for there being too much to do, if that costs next to nothing. */
  readonly handleShed: (request: FastifyRequest, reply: FastifyReply) => boolean
  /** Origins whose pages may read answers; any when there is none. */
  readonly corsOrigins: () => readonly string[]
}

/** Answers a request, refusals included; `fail` gets what even that could not cope with. */
export type Handle = (request: FastifyRequest, reply: FastifyReply, fail: (error: Error) => void) => Promise<void>

/** The way of a request through this service: who calls → parse → plan → one trip to Postgres → answer. */
export function createHandler(deps: RestDeps): Handler {
  const generationOf = createGenerations(deps)
  const refusalOf = (error: unknown, request: FastifyRequest, caller: Caller | undefined): Answer => {
    if (isFault(error)) request.log.error(error)
    const generation = generationOf()
    const { anonRole } = generation ?? deps
    const role = caller?.role ?? anonRole
    const isOnCitus = generation?.catalogue.shardKeys !== undefined
    return renderError(error, { role, isAnonymous: role === anonRole, method: request.method, isOnCitus })
  }
  const handle: Handle = async (request, reply, fail) => {
    let caller: Caller | undefined
    let found: Answer
    try {
      const generation = generationOf()
      const { authenticate } = generation ?? deps
      const who = authenticate(credentialsOf(request.raw))
      caller = who instanceof Promise ? await who : who
      request.state.role = caller.role
      endRequestStage(request, 'auth')
      if (generation === undefined) throw errors.catalogueMissing()
      const answered = answer(deps, generation, { caller, raw: request })
      found = answered instanceof Promise ? await answered : answered
    } catch (error) {
      found = refusalOf(error, request, caller)
    }
    try {
      send(request, reply, { found, config: generationOf()?.config })
    } catch (error) {
      fail(error as Error)
    }
  }
  const handleShed: Handler['handleShed'] = (request, reply) => {
    const generation = generationOf()
    const found = generation && findStale(deps, generation, request)
    if (found === undefined) return false
    send(request, reply, { found, config: generation?.config })
    return true
  }
  return { handle, handleShed, corsOrigins: () => (generationOf()?.config ?? deps.options).serverCorsAllowedOrigins }
}

type Arrived = { readonly caller: Caller; readonly raw: FastifyRequest }

/** A request whose address and headers are understood; its body may still be on its way. */
type Asked = Arrived & {
  readonly generation: Generation
  readonly path: string
  readonly rawQuery: string
  readonly request: ApiRequest
}

function answer(deps: RestDeps, generation: Generation, arrived: Arrived): Answer | Promise<Answer> {
  const kept = answerKept(deps, { caller: arrived.caller, raw: arrived.raw.raw, served: generation })
  if (kept !== undefined) {
    endRequestStage(arrived.raw, 'cache')
    return kept
  }
  const asked = parse(deps, generation, arrived)
  const { raw, request } = asked
  if (request.method === 'OPTIONS') return describeVerbs(request.target, generation.catalogue)
  if (request.target.kind === 'root') return describeRoot(deps, toRootRequest(asked))
  if (!takesBody(request)) return travel(deps, asked, noBody)
  return readRequestBody(raw, request, deps.options.bodyBytesMax).then((body) => travel(deps, asked, body))
}

function parse({ options }: RestDeps, generation: Generation, { caller, raw }: Arrived): Asked {
  const { path, rawQuery } = splitUrl(raw.raw.url as string)
  const request = parseRequest(
    { method: raw.method, path: path.slice(prefix.length), rawQuery, header: (name) => raw.headers[name]?.toString() },
    { schemas: generation.config.schemas },
  )
  const allowed = withAllowedPreferences(withRootSpec(request, generation), generation)
  const key = findShardKey(caller.claims, options.shardClaim)
  return { generation, caller, raw, path, rawQuery, request: withShardKey(allowed, generation.catalogue, key) }
}

/** `db-root-spec`: a function answers the root instead of the OpenAPI description. */
function withRootSpec(request: ApiRequest, { config: { rootSpec } }: Generation): ApiRequest {
  if (rootSpec === undefined || request.target.kind !== 'root') return request
  return { ...request, target: { kind: 'routine', name: rootSpec } }
}

function toRootRequest({ generation, caller, raw, path, request }: Asked): RootRequest {
  const { catalogue, config } = generation
  const scheme = raw.protocol === 'https' ? 'https' : 'http'
  const { headers } = raw
  return { catalogue, config, caller, request, headers, scheme, path, ...endsOf(raw) }
}

/** Plan → one trip to Postgres → answer. */
function travel(deps: RestDeps, asked: Asked, { shape, chunks }: ReadBody): Promise<Answer> {
  const { generation, caller, raw, path, rawQuery, request } = asked
  const { config } = generation
  endRequestStage(raw, 'parse')
  const compiled = generation.compile(request, shape)
  endRequestStage(raw, 'plan')
  const facts = requestSettings({ caller, method: raw.method, path, headers: raw.headers })
  const requester = { caller, raw: raw.raw, served: generation }
  const consistency = consistencyOf(deps.replicas, requester)
  const execution: Execution = {
    request,
    rawQuery,
    compiled,
    config,
    settings: [...facts, ...statementSettings(request, compiled, config)],
    range: toPageRange(request, config.maxRows),
    role: caller.role,
    body: chunks,
    consistency,
    ...endsOf(raw),
  }
  return answerRequest(deps, execution, requester).then((found) => {
    endRequestStage(raw, 'transaction')
    return withCommit(found, consistency)
  })
}

/** Of who is known without a look at their token. */
function findStale(deps: RestDeps, generation: Generation, { raw, state }: FastifyRequest): Answer | undefined {
  const credentials = credentialsOf(raw)
  if (deps.cache?.recall(credentials) === undefined) return undefined
  try {
    const caller = generation.authenticate(credentials)
    if (caller instanceof Promise) return undefined
    state.role = caller.role
    return answerStale(deps, { caller, raw, served: generation })
  } catch {
    // What is refused for another reason is refused all the same.
    return undefined
  }
}

/** What ends a request before its answer. */
function endsOf(raw: FastifyRequest): Pick<Execution, 'deadline' | 'signal'> {
  return { deadline: raw.state.deadline, signal: new HangUp(raw) }
}

/**
 * Leaves out what the server does not know or does not allow; with `handling=strict` such a request is refused
 * (PGRST122).
 */
function withAllowedPreferences(asked: ApiRequest, { catalogue, config }: Generation): ApiRequest {
  const allowsTransaction = config.txEnd.endsWith('allow-override')
  const { timezones } = catalogue
  const preferences = allowedPreferences(asked.preferences, { timezones, allowsTransaction })
  if (preferences.handling === 'strict' && preferences.invalid.length > 0) throw errors.preferences(preferences.invalid)
  return preferences === asked.preferences ? asked : { ...asked, preferences }
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
  return mark === -1
    ? { path: url, rawQuery: '' }
    : { path: url.slice(0, mark), rawQuery: withoutApikey(url.slice(mark + 1)) }
}

type Sent = { readonly found: Answer; readonly config: RestConfig | undefined }

function send(request: FastifyRequest, reply: FastifyReply, { found, config }: Sent): FastifyReply {
  if (config?.serverTimingEnabled !== undefined) request.state.isTimed = config.serverTimingEnabled
  if (config?.serverTraceHeader !== undefined) repeatHeader(request, reply, config.serverTraceHeader)
  reply.code(found.status)
  if (found.statusText !== undefined) reply.raw.statusMessage = found.statusText
  return reply.headers(found.headers).send(found.body)
}

function repeatHeader({ headers }: FastifyRequest, reply: FastifyReply, name: string): void {
  if (headers[name] !== undefined) reply.header(name, headers[name])
}

function createGenerations(deps: RestDeps): () => Generation | undefined {
  const { catalogue, options, effectiveConfigs } = deps
  const authenticators = createAuthenticators(deps)
  let current: Generation | undefined
  return () => {
    const latest = catalogue()
    if (latest !== undefined && current?.catalogue !== latest) {
      const { config } = effectiveConfigs(latest.inDatabaseConfig)
      const compile = createCompiler(latest, config, options.compiledMax)
      const authenticate = authenticators(latest, config)
      const anonRole = config.tokenRules?.values.anonRole ?? deps.anonRole
      const knownReads = deps.cache && createKnownReads(deps.cache.options.requestBytesMax)
      current = { catalogue: latest, config, compile, authenticate, anonRole, knownReads }
    }
    return current
  }
}

/** While the database says the same of tokens, what was verified stays known. */
function createAuthenticators({ authenticate, authenticateBy }: RestDeps) {
  let said = ''
  let current = authenticate
  return ({ inDatabaseConfig }: Catalogue, { tokenRules }: RestConfig): Authenticate => {
    const says = JSON.stringify(tokenSettings.map((name) => inDatabaseConfig.get(name)))
    if (says !== said) current = tokenRules === undefined ? authenticate : authenticateBy(tokenRules)
    said = says
    return current
  }
}
