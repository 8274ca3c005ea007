import type { RateLimitValues } from '@pando/admission/rate-limits/config'
import { type Decided, rateHeaders } from '@pando/admission/rate-limits/rate-headers'
import type { RateStore } from '@pando/admission/rate-limits/rate-store'
import type { Authenticate, Credentials } from '@pando/core/authenticate'
import type { Caller } from '@pando/core/caller'
import type { Recall } from '@pando/http/auth/authenticator'
import { credentialsOf } from '@pando/http/credentials'
import { toNetwork } from '@pando/http/network'
import type { CounterSeries, Metrics } from '@pando/telemetry/metrics'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hash } from 'node:crypto'
import { createTurnAway, type TurnAway } from '../admission/turn-away.ts'

export type RateLimitsDeps = {
  readonly policies: RateLimitValues['policies']
  readonly store: RateStore
  readonly authenticate: Authenticate
  readonly recall: Recall
  readonly metrics: Metrics
}

type Policy = RateLimitValues['policies'][number] & { readonly windowMs: number; readonly refused: CounterSeries }

/** Whose requests are limited by nothing but what is said of keys and of all together. */
const trustedRole = 'service_role'

const tooOften = {
  status: 429,
  code: 'gateway.rate_limited',
  message: 'Too many requests. Come back when Retry-After is over.',
} as const

/** How often somebody may ask: before everything that a request costs. */
export type RateLimits = {
  /** Limits the routes of `scope`, which are those of a service below a prefix. */
  guard(scope: FastifyInstance, service: Limited): void
}

type Limited = {
  readonly name: string
  readonly prefix: string
  /** Whether its requests go on to another node, which counts them as well. */
  readonly isPassedOn: boolean
}

/** @throws when two policies have one name, or a name cannot stand in a header */
export function createRateLimits({ policies, ...deps }: RateLimitsDeps): RateLimits {
  mustBeNamed(policies.map(({ name }) => name))
  const refused = deps.metrics.counter({
    name: 'rate_limits_refused_total',
    help: 'Requests refused with 429, by the first policy that had no token.',
    labels: ['policy'],
  })
  const all = policies.map((policy) => ({
    ...policy,
    windowMs: policy.window,
    refused: refused.series({ policy: policy.name }),
  }))
  return {
    guard(scope, { name, prefix, isPassedOn }) {
      const here = all.filter(({ path }) => path.startsWith(prefix) || prefix.startsWith(path.replace(/\/$/, '')))
      if (here.length === 0) return
      const turnAway = createTurnAway(name, tooOften)
      scope.addHook('onRequest', (request, reply) => limit({ ...deps, turnAway, isPassedOn }, here, { request, reply }))
    },
  }
}

function mustBeNamed(names: readonly string[]): void {
  const wrong = names.find((name) => !/^[\w-]{1,64}$/.test(name))
  if (wrong !== undefined)
    throw new Error(
      `PANDO_RATE_LIMITS_POLICIES: the name ${JSON.stringify(wrong)} has other than letters, digits, - and _`,
    )
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw new Error(`PANDO_RATE_LIMITS_POLICIES: ${twice} stands there twice`)
}

type Guard = Omit<RateLimitsDeps, 'policies' | 'metrics'> & {
  readonly turnAway: TurnAway
  readonly isPassedOn: boolean
}
type Exchange = { readonly request: FastifyRequest; readonly reply: FastifyReply }

/** Tokens are taken in the order of the policies: who is refused by one has used up those of the ones before. */
async function limit(guard: Guard, policies: readonly Policy[], { request, reply }: Exchange): Promise<unknown> {
  const decided: Decided[] = []
  for (const policy of policies) {
    if (!isAbout(policy, request)) continue
    const key = await keyOf(guard, policy, request)
    if (key === undefined) continue
    // Of buckets that nodes share nobody takes twice for one request: those of the door are its own.
    const decision = await guard.store.take(guard.isPassedOn ? `door ${key}` : key, 1, policy)
    decided.push({ policy, decision })
    if (decision.isTaken) continue
    policy.refused.add()
    guard.turnAway(request, reply, rateHeaders(decided))
    return reply
  }
  if (decided.length > 0) void reply.headers(rateHeaders(decided))
}

function isAbout({ path, method }: Policy, { raw }: FastifyRequest): boolean {
  return raw.url!.startsWith(path) && (method === null || method === raw.method)
}

/**
 * The bucket of a request; undefined when the policy is not about its caller. No token is verified to count an address:
 * whoever sends bad ones is counted like everybody. Who is counted as a person, or by a key, has been proven to be it.
 */
async function keyOf(guard: Guard, { per }: Policy, request: FastifyRequest): Promise<string | undefined> {
  const { authenticate, recall } = guard
  const credentials = credentialsOf(request.raw)
  if (per === 'all') return 'all'
  if (per === 'address') return recall(credentials)?.role === trustedRole ? undefined : toNetwork(request.ip)
  if (per === 'key') {
    const { apikey } = credentials
    const isKnown = apikey !== undefined && (await whoIs(authenticate, { apikey })) !== undefined
    // Keys are secrets: what is remembered of one is its hash.
    return isKnown ? `key ${hash('sha256', apikey, 'base64url')}` : toNetwork(request.ip)
  }
  const caller = await whoIs(authenticate, credentials)
  if (caller?.role === trustedRole) return undefined
  return typeof caller?.claims.sub === 'string' ? `user ${caller.claims.sub}` : toNetwork(request.ip)
}

/** Who cannot be told is nobody in particular; the service will say why. */
async function whoIs(authenticate: Authenticate, credentials: Credentials): Promise<Caller | undefined> {
  try {
    return await authenticate(credentials)
  } catch {
    return undefined
  }
}
