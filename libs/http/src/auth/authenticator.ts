import type { Authenticate, Credentials } from '@pando/core/authenticate'
import type { Caller } from '@pando/core/caller'
import type { Clock } from '@pando/core/clock'
import { LRUCache } from 'lru-cache'
import { type ClaimPath, parseClaimPath } from './claim-path.ts'
import { checkClaims, lastValidMs } from './check-claims.ts'
import { mustBeSigned } from './check-signature.ts'
import type { JwtValues } from './config.ts'
import { authErrors } from './errors.ts'
import { createIssuerKeys, type IssuerKeys, type IssuerLimits, type IssuerPolicy } from './issuer-keys.ts'
import type { KeyRing } from './key-ring.ts'
import { type ParsedToken, parseToken } from './parse-token.ts'
import type { VerificationKey } from './verification-key.ts'

export type AuthenticatorDeps = {
  /** The installation's own keys. */
  readonly keys: Pick<KeyRing, 'generation' | 'candidates' | 'roleOf'>
  readonly clock: Clock
  readonly values: JwtValues
  /** Others whose tokens are accepted. */
  readonly issuers?: { readonly policies: readonly IssuerPolicy[]; readonly limits: IssuerLimits }
}

/** Who calls with a token, and the last millisecond in which it is good. */
type Admitted = { readonly caller: Caller; readonly lastMs: number }

/** A verified token. It is good until `lastMs` and while no key went away since generation `generation` of `keys`. */
type Entry = Admitted & {
  readonly keys: { generation(): number }
  readonly generation: number
}

/**
 * Who calls, as far as that costs nothing: a key of the installation, or a token that was verified before and is still
 * good. Undefined says nothing about whether the credentials are good. Does not know which sessions have ended.
 */
export type Recall = (credentials: Credentials) => Caller | undefined

type Issuer = { readonly policy: IssuerPolicy; readonly keys: IssuerKeys }

/**
 * The one place that verifies a JWT. A user's token in `Authorization` outranks `apikey`; opaque keys are taken from
 * `apikey` only (older clients repeat them as Bearer, where they are ignored). What was verified is remembered by the
 * whole text of the token, at most until it expires or any key of its issuer is withdrawn.
 */
export function createAuthenticator(deps: AuthenticatorDeps): Authenticate & { readonly recall: Recall } {
  const { keys, clock, values } = deps
  const issuers = createIssuers(deps)
  const audiences = values.audience === null ? null : [values.audience]
  const roleIn = mustParsePath(values.roleClaimKey)
  const cache = new LRUCache<string, Entry>({
    max: values.cachedTokensMax,
    maxSize: values.cachedBytesMax,
    sizeCalculation: ({ caller }, token) => 2 * (token.length + caller.claimsJson.length),
  })
  const callersOfRoles = new Map<string, Caller>()

  function callerOfRole(role: string): Caller {
    let caller = callersOfRoles.get(role)
    if (caller === undefined) callersOfRoles.set(role, (caller = toCaller(role, { role }, JSON.stringify({ role }))))
    return caller
  }

  function rememberedCaller(token: string): Caller | undefined {
    const entry = cache.get(token)
    if (entry === undefined) return undefined
    if (entry.generation === entry.keys.generation() && clock.now() <= entry.lastMs) return entry.caller
    cache.delete(token)
    return undefined
  }

  function callerOfToken(token: string): Caller | Promise<Caller> {
    return rememberedCaller(token) ?? verify(token)
  }

  function verify(token: string): Caller | Promise<Caller> {
    const parsed = parseToken(token, values.tokenBytesMax)
    const issuer = issuers.get(parsed.claims.iss)
    const source = issuer?.keys ?? keys
    // Read before the keys are: a key that goes away while they are fetched must not leave an entry behind.
    const generation = source.generation()
    const remember = ({ caller, lastMs }: Admitted): Caller => {
      cache.set(token, { caller, lastMs, keys: source, generation })
      return caller
    }
    const candidates =
      issuer === undefined ? keys.candidates(parsed.algorithm, parsed.kid) : candidatesOf(issuer, parsed)
    return candidates instanceof Promise
      ? candidates.then((found) => remember(admit(parsed, found, issuer?.policy)))
      : remember(admit(parsed, candidates, issuer?.policy))
  }

  function admit(parsed: ParsedToken, found: readonly VerificationKey[], policy?: IssuerPolicy): Admitted {
    const nowMs = clock.now()
    const key = mustBeSigned(parsed, found, nowMs)
    const { claims } = parsed
    checkClaims(claims, {
      nowMs,
      leewayMs: values.leeway,
      audiences: policy === undefined ? audiences : policy.audiences,
      audienceClaims: policy?.audienceClaims ?? ['aud'],
      audienceRequired: policy !== undefined && policy.audiences !== null,
    })
    const role = roleOf(roleIn(claims), policy === undefined ? values.anonRole : policy.role)
    const lastMs = Math.min(lastValidMs(claims, values.leeway), key.expiresMs ?? Number.POSITIVE_INFINITY)
    return { caller: toCaller(role, claims, parsed.claimsJson), lastMs }
  }

  const recall: Recall = ({ authorization = '', apikey = '' }) => {
    const bearer = /^bearer (?!sb_)/i.test(authorization) ? authorization.slice(7) : undefined
    const token = bearer ?? apikey
    if (token === '' || token.length > values.tokenBytesMax) return undefined
    const role = bearer === undefined ? keys.roleOf(apikey) : undefined
    return role === undefined ? rememberedCaller(token) : callerOfRole(role)
  }

  const authenticate: Authenticate = ({ authorization, apikey }) => {
    const bearer = authorization === undefined ? undefined : bearerOf(authorization)
    if (bearer !== undefined) return callerOfToken(bearer)
    if (apikey === undefined || apikey === '') {
      if (values.anonymousAllowed) return callerOfRole(values.anonRole)
      throw authErrors.anonymousDisabled()
    }
    const role = apikey.length > values.tokenBytesMax ? undefined : keys.roleOf(apikey)
    if (role !== undefined) return callerOfRole(role)
    if (!apikey.startsWith('eyJ')) throw authErrors.unknownKey()
    return callerOfToken(apikey)
  }
  return Object.assign(authenticate, { recall })
}

function mustParsePath(text: string): ClaimPath {
  const path = parseClaimPath(text)
  if (path === undefined) throw new Error(`${text} is no path to the role of a token`)
  return path
}

function createIssuers({ issuers, clock }: AuthenticatorDeps): ReadonlyMap<unknown, Issuer> {
  if (issuers === undefined) return new Map()
  const { policies, limits } = issuers
  return new Map(policies.map((policy) => [policy.issuer, { policy, keys: createIssuerKeys(policy, clock, limits) }]))
}

/** `undefined` when the header says nothing that concerns us: another scheme, or an opaque key (RFC 6750 §2.1). */
function bearerOf(authorization: string): string | undefined {
  if (!/^bearer(?: |$)/i.test(authorization)) return undefined
  const token = authorization.slice(7)
  if (token === '') throw authErrors.emptyToken()
  return token.startsWith('sb_') ? undefined : token
}

async function rejectUnavailable(issuer: Issuer, pending: Promise<readonly VerificationKey[]>) {
  try {
    return await pending
  } catch (cause) {
    throw authErrors.keysUnavailable(issuer.policy.issuer, cause)
  }
}

function candidatesOf(issuer: Issuer, { algorithm, kid }: ParsedToken) {
  const found = issuer.keys.candidates(algorithm, kid)
  return found instanceof Promise ? rejectUnavailable(issuer, found) : found
}

function roleOf(claim: unknown, fallback: string | undefined): string {
  if (typeof claim === 'string' && claim !== '') return claim
  if (claim !== undefined && claim !== null) throw authErrors.claims("The JWT 'role' claim must be a string")
  if (fallback === undefined) throw authErrors.claims('The JWT has no role claim')
  return fallback
}

/** The claims are frozen: all requests with this token share them. */
function toCaller(role: string, claims: Caller['claims'], claimsJson: string): Caller {
  return Object.freeze({ role, claims: Object.freeze(claims), claimsJson })
}
