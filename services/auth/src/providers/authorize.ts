import { hash } from 'node:crypto'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { toCodeChallenge } from '../pkce.ts'
import { toRedirect } from '../redirect.ts'
import type { Answer } from '../route.ts'
import type { SignedInVisit, Visit } from '../visit.ts'
import { toBrowserCookie } from './browser-cookie.ts'
import { connect } from './connect.ts'
import { type NewFlow, type Outward, beginFlow } from './flow.ts'
import type { Provider } from './provider.ts'

/** `GET /authorize`: sends a browser to a provider. */
export async function authorize(deps: AuthDeps, visit: Visit): Promise<Answer> {
  const leaving = toLeaving(deps, visit)
  const cookie = leaving.challenge === undefined ? toBrowserCookie(deps, visit.headers) : undefined
  const location = await leave(deps, visit, { ...leaving, browserToken: cookie?.token })
  const headers = { location, ...noStore, ...(cookie && { 'set-cookie': cookie.header }) }
  return { status: 302, headers }
}

/**
 * `GET /user/identities/authorize`: how a signed-in person adds an identity. Whoever opens the address adds theirs, so
 * with PKCE nothing is added before the app that asked has shown its verifier.
 */
export async function authorizeLinking(deps: AuthDeps, visit: SignedInVisit): Promise<Answer> {
  if (!deps.options.manualLinkingEnabled) throw errors.manualLinkingDisabled()
  const leaving = { ...toLeaving(deps, visit), browserToken: undefined, linkingTargetId: visit.user.id }
  const url = await leave(deps, visit, leaving)
  if (visit.query['skip_http_redirect'] === 'true') return { status: 200, body: { url }, headers: noStore }
  return { status: 302, headers: { location: url, ...noStore } }
}

const noStore = { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' } as const

function toLeaving(deps: AuthDeps, { query }: Visit): Omit<NewFlow, 'browserToken'> {
  const provider = mustFindProvider(deps, query['provider'] ?? '')
  if (provider.secretMissing) throw errors.providerSecretMissing()
  return {
    provider,
    challenge: toCodeChallenge(query),
    redirectTo: toRedirect(query['redirect_to'], deps.options),
  }
}

/** @throws validation_failed */
export function mustFindProvider({ providers }: AuthDeps, asked: string): Provider {
  const name = asked.toLowerCase()
  const provider = providers.get(name)
  if (provider === undefined) throw errors.providerUnsupported(name)
  return provider
}

/** Where we want people back from a provider. */
export const callbackUrl = ({ apiUrl }: AuthDeps, { redirectUri }: Provider): string =>
  redirectUri ?? `${apiUrl()}/auth/v1/callback`

async function leave(deps: AuthDeps, visit: Visit, flow: NewFlow): Promise<string> {
  const { provider } = flow
  const connection = await connect(provider).catch((cause: unknown) => {
    throw errors.providerUnreachable(provider.name, cause)
  })
  const outward = await beginFlow(deps, flow)
  return connection.authorizationUrl(toParameters(deps, { provider, visit, outward })).href
}

type Request = { readonly provider: Provider; readonly visit: Visit; readonly outward: Outward }

/** What the app adds goes along, for example `prompt` or `access_type`; what is ours it cannot change. */
function toParameters(deps: AuthDeps, { provider, visit, outward }: Request): Record<string, string> {
  const { definition } = provider
  const { state, nonce, verifier } = outward
  const added = Object.entries(visit.query).filter(([name]) => !ours.has(name.toLowerCase()))
  const asked = (visit.query['scopes'] ?? '').split(/[\s,]+/).filter((scope) => scope !== '')
  const scopes = [...new Set([...definition.scopes, ...asked])]
  return {
    ...Object.fromEntries(added),
    redirect_uri: callbackUrl(deps, provider),
    response_type: 'code',
    state,
    ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
    ...(definition.responseMode && { response_mode: definition.responseMode }),
    ...(expectsNonce(provider) ? { nonce } : {}),
    ...(verifier === undefined ? {} : { code_challenge: toChallenge(verifier), code_challenge_method: 'S256' }),
  }
}

/** Whether the ID token of a sign-in has to repeat the nonce. */
export const expectsNonce = ({ definition: { api, idToken } }: Provider): boolean =>
  api === undefined && idToken !== undefined && idToken.nonce !== false

const ours: ReadonlySet<string> = new Set([
  'apikey',
  'client_id',
  'client_secret',
  'code_challenge',
  'code_challenge_method',
  'code_verifier',
  'invite_token',
  'nonce',
  'provider',
  'redirect_to',
  'redirect_uri',
  'request',
  'request_uri',
  'response_mode',
  'response_type',
  'scope',
  'scopes',
  'skip_http_redirect',
  'state',
])

/** RFC 7636 §4.2 */
const toChallenge = (verifier: string): string => hash('sha256', verifier, 'base64url')
