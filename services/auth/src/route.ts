import type { Caller } from '@pando/core/caller'
import { credentialsOf } from '@pando/http/credentials'
import { Refusal } from '@pando/core/refusal'
import { type BodyOf, compileOnce, type Shape } from '@pando/http/shape'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { mustBeHuman } from './captcha/must-be-human.ts'
import type { AuthDeps } from './deps.ts'
import { errors } from './errors.ts'
import { mustBeHighest } from './factors/assurance.ts'
import { charge, type Limit } from './limits/charge.ts'
import { answerTogether } from './passwords/answer-together.ts'
import { isFault, renderError } from './render-error.ts'
import { whyExpired } from './sessions/session-state.ts'
import { findSessionWithUser, type SessionRow } from './store/sessions.ts'
import { findUser, type UserRow } from './store/users.ts'
import { isBanned } from './user.ts'
import { isUuid } from './uuid.ts'
import { isAdmin, type SignedInVisit, type Visit } from './visit.ts'

/** What an endpoint answers; a body that is undefined is none. */
export type Answer = {
  readonly status: number
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** What failed, where people are sent on all the same; it is logged. */
  readonly fault?: unknown
}

/**
 * Who may call: a `browser`, which shows no key, `anyone` who has a key of the installation, a signed-in `user`, one
 * with an account that is not `anonymous` (`member`), or an `admin` (the roles service_role and supabase_admin).
 */
type Who = 'browser' | 'anyone' | 'user' | 'member' | 'admin'
/**
 * How much a session must have proved: as much as its user can (`highest`), so that between password and second factor
 * it can do nothing but prove more; or `any`.
 */
type Assurance = 'highest' | 'any'
type VisitOf<W extends Who> = W extends 'user' | 'member' ? SignedInVisit : Visit

type Declared<W extends Who, Body extends Shape> = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly who: W
  /** Of users and members; `highest` unless it says otherwise. */
  readonly aal?: Assurance
  /**
   * How often it may be called; without it as often as the node can answer, which needs a reason
   * (`limits/every-route.test.ts`).
   */
  readonly limit?: Limit<BodyOf<Body>>
  /**
   * Whether a request to this URL is going to hash a password: when too many do it is refused before its body is read.
   */
  readonly hashes?: (url: string) => boolean
  /** Whether the caller must be human, always or for some requests. */
  readonly captcha?: true | ((visit: Visit) => boolean)
  /** What comes in; a request without body is `{}`. */
  readonly body?: Body
  /**
   * Whether a browser sends it as a form (application/x-www-form-urlencoded); of a field that comes twice the last
   * counts.
   */
  readonly form?: true
  readonly run: (deps: AuthDeps, visit: VisitOf<W>, body: BodyOf<Body>) => Promise<Answer>
}

/** An endpoint, as data and one call. */
export type Route = {
  readonly method: string
  readonly path: string
  readonly who: Who
  readonly isLimited: boolean
  readonly hashes: ((url: string) => boolean) | undefined
  readonly handle: (deps: AuthDeps, visit: Visit, body: unknown) => Promise<Answer>
}

/** Declares an endpoint: the body is checked before anything else looks at it, and a limit before anything is done. */
export function route<W extends Who, Body extends Shape>(declared: Declared<W, Body>): Route {
  const { method, path, who, aal = 'highest', limit, hashes, captcha, form, run } = declared
  const parse = declared.body === undefined ? () => ({}) : createParser(declared.body, form ? parseForm : parseJson)
  return {
    method,
    path,
    who,
    isLimited: limit !== undefined,
    hashes,
    handle: async (deps, visit, body) => {
      const parsed = (await parse(body)) as BodyOf<Body>
      const admitted = (await admit(deps, { who, aal }, visit)) as VisitOf<W>
      if (limit !== undefined) {
        await charge(deps, admitted, typeof limit === 'string' ? { rate: limit } : limit(visit, parsed, deps.options))
      }
      if (captcha === true || captcha?.(visit)) await mustBeHuman(deps, visit, parsed)
      return run(deps, admitted, parsed)
    },
  }
}

/** How long who cannot be let in to hash a password waits for the others; apps are told within 50 ms. */
const refusalsEveryMs = 25

/** Answers `routes` on a listener of which this is one scope. */
export function mountRoutes(app: FastifyInstance, deps: AuthDeps, routes: readonly Route[]): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: deps.options.bodyBytesMax }, (_request, text, done) =>
    done(null, text),
  )
  const later = answerTogether(refusalsEveryMs)
  const isFull = errors.tooManySignIns()
  for (const { method, path, who, hashes, handle } of routes) {
    app.route({
      method,
      url: path,
      // Programs that look at links in mails before people do would use them up.
      exposeHeadRoute: false,
      onRequest: (request, _reply, done) => {
        if (hashes?.(request.raw.url!) === true && !deps.passwords.hasRoom()) {
          return later(() => done(isFull))
        }
        done()
      },
      handler: async (request, reply) => {
        const visit = toVisit(request, who === 'browser' ? stranger : await authenticate(deps, request))
        request.state.role = visit.caller.role
        const answer = await handle(deps, visit, request.body)
        if (answer.fault !== undefined) request.log.error(answer.fault)
        return send(reply, answer)
      },
    })
  }
  app.setNotFoundHandler(() => {
    throw errors.notFound()
  })
  app.setErrorHandler((error, request, reply) => {
    const known = fromFramework(error, deps)
    if (isFault(known)) request.log.error(known)
    const { status, headers, body } = renderError(known, request.headers['x-supabase-api-version']?.toString())
    return reply.code(status).headers(headers).type('application/json; charset=utf-8').send(JSON.stringify(body))
  })
}

const stranger: Caller = Object.freeze({ role: 'anon', claims: { role: 'anon' }, claimsJson: '{"role":"anon"}' })

function toVisit(request: FastifyRequest, caller: Caller): Visit {
  return {
    caller,
    address: request.ip,
    userAgent: request.headers['user-agent'],
    headers: request.headers,
    params: request.params as Record<string, string>,
    query: Object.fromEntries(new URL(request.raw.url!, 'http://unused').searchParams),
  }
}

async function authenticate(deps: AuthDeps, request: FastifyRequest): Promise<Caller> {
  try {
    return await deps.authenticate(credentialsOf(request.raw))
  } catch (error) {
    if (error instanceof Refusal && error.status === 401) throw errors.badJwt(error.message)
    throw error
  }
}

async function admit(
  deps: AuthDeps,
  { who, aal }: { who: Who; aal: Assurance },
  visit: Visit,
): Promise<Visit | SignedInVisit> {
  if (who === 'browser' || who === 'anyone') return visit
  const { role, claims } = visit.caller
  if (who === 'admin') {
    if (!isAdmin(visit)) throw role === 'anon' ? errors.noAuthorization() : errors.notAdmin()
    // An admin who signed in; a key has no session.
    if (claims['session_id']) await findCaller(deps, visit)
    return visit
  }
  if (visit.headers.authorization === undefined) throw errors.noAuthorization()
  const { user, session } = await findCaller(deps, visit)
  if (isBanned(user, deps.clock.now())) throw errors.userBannedNow()
  if (who === 'member' && user.is_anonymous) throw errors.notForAnonymous()
  if (aal === 'highest') mustBeHighest({ user, session })
  return { ...visit, user, session }
}

/** The signed-in person of a request to an endpoint that anyone may call. */
export async function admitUser(deps: AuthDeps, visit: Visit): Promise<SignedInVisit> {
  return (await admit(deps, { who: 'user', aal: 'highest' }, visit)) as SignedInVisit
}

type Found = { readonly user: UserRow; readonly session: SessionRow | undefined }

/** A token may name no session (one that another system signed); one that it names must still be there. */
async function findCaller({ database, options, clock }: AuthDeps, { caller }: Visit): Promise<Found> {
  const { sub, session_id: sessionId } = caller.claims
  if (sub === undefined) throw errors.badClaim('missing sub claim')
  const userId = mustBeUuid(sub, 'sub')
  if (sessionId !== undefined && sessionId !== '') {
    const found = await findSessionWithUser(database, mustBeUuid(sessionId, 'session_id'))
    if (found?.user.id === userId && whyExpired(found.session, options, clock.now()) === undefined) return found
  }
  const user = await findUser(database, { id: userId })
  if (user === undefined) throw errors.userOfTokenNotFound()
  if (sessionId !== undefined && sessionId !== '') throw errors.sessionOfTokenNotFound()
  return { user, session: undefined }
}

function mustBeUuid(value: unknown, claim: string): string {
  if (!isUuid(value)) throw errors.badClaim(`${claim} claim must be a UUID`)
  return value
}

/** JSON of the declared shape. Members that are null count as left out: some SDKs write every optional field. */
function createParser(shape: Shape, read: (body: unknown) => unknown): (body: unknown) => Promise<unknown> {
  const validatorOf = compileOnce(shape)
  return async (body) => {
    const value = read(body)
    const validator = await validatorOf()
    if (validator.Check(value)) return value
    const { instancePath, message } = validator.Errors(value)[0]!
    throw errors.badJson(`${instancePath.slice(1).replaceAll('/', '.') || 'the body'} ${message}`)
  }
}

function parseJson(body: unknown): unknown {
  if (typeof body !== 'string' || body.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (error) {
    throw errors.badJson((error as Error).message)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw errors.badJson('it is not an object')
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null))
}

const parseForm = (body: unknown): unknown =>
  Object.fromEntries(new URLSearchParams(typeof body === 'string' ? body : ''))

function send(reply: FastifyReply, { status, body, headers = {} }: Answer): FastifyReply {
  void reply.code(status).headers(headers)
  if (body === undefined) return reply.send()
  return reply.type('application/json; charset=utf-8').send(JSON.stringify(body))
}

/** Fastify's own refusal of a large body; all else passes. */
function fromFramework(error: unknown, { options }: AuthDeps): unknown {
  const { code } = error as { code?: string }
  return code === 'FST_ERR_CTP_BODY_TOO_LARGE' ? errors.bodyTooLarge(options.bodyBytesMax) : error
}
