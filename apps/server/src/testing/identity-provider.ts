import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ClientMetadata, type Configuration, Provider } from 'oidc-provider'

/** What a person is at the provider. */
export type Person = { readonly sub: string; readonly [claim: string]: unknown }

/** A real OpenID Connect provider on loopback. */
export type IdentityProvider = {
  readonly issuer: string
  /** A person signs in by `login_hint`; without it the provider asks with a page. */
  readonly people: Map<string, Person>
  /** An ID token of its own; members of `changes` replace or, when undefined, remove claims. */
  sign(changes?: JWTPayload, header?: { alg?: string; kid?: string }): Promise<string>
  /** Its public key, as anybody knows it. */
  readonly publicPem: string
  stop(): Promise<void>
}

export const clientId = 'pando-client'
export const clientSecret = 'a secret that only both know'
/** Of a native app of the same project. */
export const nativeClientId = 'pando-native'

/** Options by which a node takes a provider on loopback for one that it knows by name. */
export const knownAs = (name: string, issuer: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ ENABLED: 'true', CLIENT_ID: clientId, SECRET: clientSecret, URL: issuer }).map(
      ([option, value]) => [`PANDO_AUTH_EXTERNAL_${name.toUpperCase()}_${option}`, value],
    ),
  )

/** Options of a node where accounts of every kind can have further identities. */
export const linkingEnvironment = {
  PANDO_AUTH_EMAIL_CONFIRMATIONS: 'true',
  PANDO_AUTH_MANUAL_LINKING_ENABLED: 'true',
  PANDO_AUTH_ANONYMOUS_ENABLED: 'true',
} as const

/** `redirectUri` is known only when the node listens, hence the function. */
export async function startIdentityProvider(redirectUri: () => string): Promise<IdentityProvider> {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), kid: 'first', alg: 'RS256', use: 'sig' }
  const people = new Map<string, Person>()
  let handle: ((request: IncomingMessage, response: ServerResponse) => unknown) | undefined
  const server = createServer((request, response) => {
    handle ??= createProvider({ issuer, jwk, people, redirectUri: redirectUri() })
    void handle(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    issuer,
    people,
    sign: (changes = {}, { alg = 'RS256', kid = 'first' } = {}) => {
      const seconds = Math.floor(Date.now() / 1000)
      const claims = { iss: issuer, aud: clientId, sub: 'somebody', iat: seconds, exp: seconds + 600, ...changes }
      return new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(privateKey)
    },
    publicPem: await exportSPKI(publicKey),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

type Facts = {
  readonly issuer: string
  readonly jwk: object
  readonly people: ReadonlyMap<string, Person>
  readonly redirectUri: string
}

function createProvider({ issuer, jwk, people, redirectUri }: Facts) {
  const client: ClientMetadata = {
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [redirectUri],
    grant_types: ['authorization_code', 'refresh_token'],
  }
  const configuration: Configuration = {
    clients: [client],
    jwks: { keys: [jwk as never] },
    cookies: { keys: ['only of tests'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'picture'] },
    conformIdTokenClaims: false,
    pkce: { required: () => false },
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      Grant: 600,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 600,
      Session: 600,
    },
    findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => people.get(sub) ?? { sub } }),
  }
  const provider = new Provider(issuer, configuration)
  const callback = provider.callback()
  return (request: IncomingMessage, response: ServerResponse): unknown =>
    request.url?.startsWith('/interaction/') ? interact(provider, request, response) : callback(request, response)
}

/** Whoever the request names signs in and agrees; else a page with a button does it for the first person. */
async function interact(provider: Provider, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { params, uid } = await provider.interactionDetails(request, response)
  const person = new URL(request.url!, 'http://unused').searchParams.get('person') ?? params['login_hint']
  if (typeof person !== 'string') {
    response.setHeader('content-type', 'text/html')
    response.end(`<form action="/interaction/${uid}"><input name="person" /><button>Allow</button></form>`)
    return
  }
  const grant = new provider.Grant({ accountId: person, clientId: String(params['client_id']) })
  grant.addOIDCScope(String(params['scope']))
  const consent = { grantId: await grant.save() }
  await provider.interactionFinished(request, response, { login: { accountId: person }, consent })
}
