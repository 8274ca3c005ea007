import { fetchBounded } from '@pando/http/fetch-bounded'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { callbackUrl, expectsNonce } from './authorize.ts'
import { connect, type Tokens } from './connect.ts'
import type { ApiAccess } from './definition.ts'
import type { Returned } from './flow.ts'
import { verifyIdToken } from './id-token.ts'
import { type Profile, toObject, toProfile } from './profile.ts'
import type { Provider } from './provider.ts'

/** Somebody, and what their provider lets us do in their name. */
export type Identified = { readonly profile: Profile; readonly tokens: Tokens }

export type Answered = {
  readonly provider: Provider
  readonly flow: Returned
  /** What the provider sent back with the browser. */
  readonly parameters: URLSearchParams
}

/** Finds out who came back from a provider. */
export async function identify(deps: AuthDeps, answered: Answered): Promise<Identified> {
  const tokens = await exchange(deps, answered)
  try {
    const profile = await findProfile(deps, answered, tokens)
    return { profile: withAppleName(answered, profile), tokens }
  } catch (cause) {
    throw errors.providerProfile(cause)
  }
}

async function exchange(deps: AuthDeps, { provider, flow, parameters }: Answered): Promise<Tokens> {
  try {
    const { exchange: exchangeCode } = await connect(provider)
    const url = new URL(callbackUrl(deps, provider))
    for (const [name, value] of parameters) url.searchParams.append(name, value)
    // Only a discovery document tells how the issuer calls itself in answers.
    if (provider.definition.endpoints?.(provider.url) !== undefined) url.searchParams.delete('iss')
    return await exchangeCode(url, { state: parameters.get('state') ?? '', verifier: flow.verifier })
  } catch (cause) {
    throw errors.providerExchange(parameters.get('code') ?? '', cause)
  }
}

async function findProfile(deps: AuthDeps, { provider, flow }: Answered, tokens: Tokens): Promise<Profile> {
  const { definition, url, clientIds, issuer } = provider
  const { accessToken, idToken } = tokens
  const clientId = clientIds[0]!
  if (definition.api === undefined) {
    if (idToken === undefined) throw new Error(`${provider.name} answered without an ID token`)
    const verified = await verifyIdToken(deps, provider, { token: idToken, audiences: [clientId], accessToken })
    if (expectsNonce(provider) && verified.claims['nonce'] !== flow.nonce)
      throw new Error(`the ID token of ${provider.name} has another nonce`)
    return verified.profile
  }
  const given = { url, accessToken, clientId, secret: await provider.secret(clientId) }
  const answers: unknown[] = []
  for (const request of definition.api.requests(given)) answers.push(await askFor(provider, given, request))
  return definition.api.toProfile(answers, issuer?.name ?? new URL(definition.api.requests(given)[0]!).origin)
}

async function askFor({ definition, bounds }: Provider, given: ApiAccess, url: string): Promise<unknown> {
  const headers = {
    accept: 'application/json',
    authorization: `Bearer ${given.accessToken}`,
    'user-agent': 'pando',
    ...definition.api?.headers?.(given),
  }
  const response = await fetchBounded(url, { headers }, bounds)
  if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status} when asked who it is`)
  return response.json()
}

/**
 * Apple tells a name in the form, the first time only. It comes through the browser, so it is a name and nothing else.
 */
function withAppleName({ provider, parameters }: Answered, profile: Profile): Profile {
  const user = provider.name === 'apple' ? parameters.get('user') : null
  if (user === null) return profile
  const { firstName, lastName } = toObject(toObject(parseJson(user))['name'])
  const name = [firstName, lastName].filter((part) => typeof part === 'string').join(' ')
  const { facts } = toProfile({ issuer: '', subject: profile.subject, emails: [], name })
  return facts['name'] === undefined
    ? profile
    : { ...profile, facts: { ...profile.facts, name: facts['name'], full_name: facts['name'] } }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
