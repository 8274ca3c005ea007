import { fetchBounded } from '@pando/http/fetch-bounded'
import type * as openIdClient from 'openid-client'
import type { Provider } from './provider.ts'

/** What a provider's token endpoint gave. */
export type Tokens = {
  readonly accessToken: string
  readonly refreshToken?: string
  readonly idToken?: string
}

export type Connection = {
  /** Where to send somebody; `parameters` are of the request (OpenID Connect Core §3.1.2.1). */
  readonly authorizationUrl: (parameters: Readonly<Record<string, string>>) => URL
  /** Exchanges the code that came back with `url` (RFC 6749 §4.1.3), after checks of state and issuer (RFC 9207). */
  readonly exchange: (url: URL, expected: { state: string; verifier: string | undefined }) => Promise<Tokens>
}

/** Everything that is said to a provider before somebody is known. */
export async function connect(provider: Provider): Promise<Connection> {
  const { bounds } = provider
  // Loaded by the first who is sent to a provider.
  const client = await import('openid-client')
  const [clientId] = provider.clientIds as [string]
  const secret = await provider.secret(clientId)
  const metadata = await provider.metadata()
  const authentication = toAuthentication(client, provider, secret)
  const open = (): openIdClient.Configuration => {
    const configuration = new client.Configuration(metadata, clientId, undefined, authentication)
    configuration.timeout = bounds.timeoutMs / 1000
    if (provider.url?.startsWith('http:')) client.allowInsecureRequests(configuration)
    return configuration
  }
  return {
    authorizationUrl: (parameters) => client.buildAuthorizationUrl(open(), parameters),
    exchange: async (url, { state, verifier }) => {
      const configuration = open()
      let idToken: string | undefined
      configuration[client.customFetch] = async (address, init) => {
        const answer = await toStandard(await fetchBounded(address, init as RequestInit, bounds))
        idToken = answer.idToken
        return answer.response
      }
      const checks = { expectedState: state, pkceCodeVerifier: verifier }
      const tokens = await client.authorizationCodeGrant(configuration, url, checks)
      return { accessToken: tokens.access_token, refreshToken: tokens.refresh_token, idToken }
    },
  }
}

function toAuthentication(
  client: typeof openIdClient,
  { definition }: Provider,
  secret: string,
): openIdClient.ClientAuth {
  if (secret === '') return client.None()
  return definition.clientAuth === 'basic' ? basicAuthentication(secret) : client.ClientSecretPost(secret)
}

/** RFC 6749 §2.3.1. The library also encodes letters that need it not, such as `-`, and not every provider decodes. */
function basicAuthentication(secret: string): openIdClient.ClientAuth {
  const encode = (text: string): string => new URLSearchParams({ text }).toString().slice('text='.length)
  return (_server, { client_id: id }, _body, headers) => {
    headers.set('authorization', `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`)
  }
}

/**
 * Some providers write `scope` as a list or leave `token_type` out (RFC 6749 §5.1 wants a text and a type). The ID
 * token is taken aside: the one place that verifies tokens does it.
 */
async function toStandard(response: Response): Promise<{ response: Response; idToken?: string }> {
  const text = await response.text()
  const headers = new Headers(response.headers)
  const same = { response: new Response(text, { status: response.status, headers }) }
  if (!response.ok || !text.trimStart().startsWith('{')) return same
  const { id_token: idToken, scope, token_type: type, ...answer } = JSON.parse(text) as Record<string, unknown>
  if (answer['access_token'] === undefined) return same
  const body = {
    ...answer,
    token_type: type ?? 'bearer',
    ...(scope === undefined ? {} : { scope: Array.isArray(scope) ? scope.join(' ') : scope }),
  }
  headers.delete('content-length')
  return {
    response: new Response(JSON.stringify(body), { status: response.status, headers }),
    idToken: typeof idToken === 'string' ? idToken : undefined,
  }
}
