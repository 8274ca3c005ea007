import { Refusal } from '@pando/core/refusal'
import type { BodyOf, Types } from '@pando/http/shape'
import { hash, timingSafeEqual } from 'node:crypto'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { Answer } from '../route.ts'
import { admitUser } from '../route.ts'
import { startSession } from '../sessions/start-session.ts'
import type { Visit } from '../visit.ts'
import { type IdToken, verifyIdToken } from './id-token.ts'
import { linkIdentity, tellLinked } from './link-identity.ts'
import type { Provider } from './provider.ts'
import { welcome } from './welcome.ts'

const tokenLengthMax = 16 * 1024

export const idTokenGrantBody = (Type: Types) => {
  const text = (maxLength: number) => Type.Optional(Type.String({ maxLength }))
  return Type.Object({
    provider: text(100),
    issuer: text(2000),
    client_id: text(1000),
    id_token: text(tokenLengthMax),
    /** What the Dart and Swift kits of old call `id_token`. */
    token: text(tokenLengthMax),
    access_token: text(tokenLengthMax),
    nonce: text(1000),
    link_identity: Type.Optional(Type.Boolean()),
  })
}
type IdTokenGrant = BodyOf<typeof idTokenGrantBody>

/**
 * `POST /token?grant_type=id_token`: a session for the ID token that a phone got from its own Google, Apple or other
 * provider; or, with `link_identity`, one more identity for the person who is signed in.
 */
export async function signInWithIdToken(deps: AuthDeps, visit: Visit, body: IdTokenGrant): Promise<Answer> {
  const token = body.id_token ?? body.token
  if (!token) throw errors.oauth('invalid request', 'id_token required')
  const provider = findProvider(deps, body)
  const target = body.link_identity ? await mustBeSignedIn(deps, visit) : undefined
  const idToken = await verify(deps, provider, { ...body, token })
  mustHaveNonce(provider, idToken, body.nonce)
  const guest = { provider, profile: idToken.profile, visit }
  const start = { method: 'oauth', visit, providerProof: idToken.profile.proof } as const
  if (target === undefined) {
    return { status: 200, body: await welcome(deps, guest, (tx, user) => startSession(deps, tx, { user, ...start })) }
  }
  const addition = { ...guest, provider: provider.name, userId: target.user.id }
  const { user, session } = await deps.database.transaction(async (tx) => {
    const linked = await linkIdentity(deps, tx, addition)
    return { user: linked, session: await startSession(deps, tx, { user: linked, ...start }) }
  })
  await tellLinked(deps, user, addition)
  return { status: 200, body: session }
}

/** By its name; apps that only know the issuer are let in when that is exactly the one of an enabled provider. */
function findProvider(
  { providers }: AuthDeps,
  { provider: asked, issuer, client_id: clientId }: IdTokenGrant,
): Provider {
  if (!asked && (!clientId || !issuer))
    throw errors.oauth('invalid request', 'provider or client_id and issuer required')
  const found = asked
    ? providers.get(asked.toLowerCase())
    : [...providers.values()].find((each) => each.issuer?.name === issuer)
  if (found === undefined) throw errors.idTokenProviderDisabled(asked ?? issuer ?? '')
  return found
}

function mustBeSignedIn(deps: AuthDeps, visit: Visit) {
  if (visit.headers.authorization === undefined)
    throw errors.oauth('invalid request', 'Linking requires a valid user access token in Authorization')
  if (!deps.options.manualLinkingEnabled) throw errors.manualLinkingDisabled()
  return admitUser(deps, visit)
}

type Claimed = IdTokenGrant & { readonly token: string }

async function verify(deps: AuthDeps, provider: Provider, claimed: Claimed): Promise<IdToken> {
  const { token, access_token: accessToken, client_id: clientId, issuer } = claimed
  if (issuer && issuer !== provider.issuer?.name) throw errors.badIdToken()
  const audiences = clientId ? provider.clientIds.filter((each) => each === clientId) : provider.clientIds
  try {
    return await verifyIdToken(deps, provider, { token, audiences, accessToken })
  } catch (error) {
    throw error instanceof Refusal ? error : errors.providerKeysUnavailable(error)
  }
}

/**
 * Whoever steals a token on its way does not know the nonce, of which the token has only the hash. One kind of provider
 * puts the nonce itself there; then it proves nothing to repeat it, but another one is still wrong.
 */
function mustHaveNonce(provider: Provider, { claims }: IdToken, nonce: string | undefined): void {
  if (provider.skipNonceCheck) return
  const inToken = typeof claims['nonce'] === 'string' ? claims['nonce'] : ''
  if (provider.definition.idToken?.nonceIsPlain) {
    if (nonce && !isEqual(nonce, inToken)) throw errors.oauth('invalid nonce', 'Nonces mismatch')
    return
  }
  if ((inToken === '') !== !nonce)
    throw errors.oauth('invalid request', 'Passed nonce and nonce in id_token should either both exist or not.')
  if (nonce && !isEqual(hash('sha256', nonce, 'hex'), inToken)) throw errors.oauth('invalid nonce', 'Nonces mismatch')
}

function isEqual(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
