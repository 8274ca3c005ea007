import type { Json } from './profile.ts'

/**
 * How a provider says that it made sure who somebody is (OpenID Connect Core §2): how strongly (`acr`), by what (`amr`),
 * and when, in seconds since the epoch. It is the claim `provider_proof` of access tokens.
 */
export type ProviderProof = {
  readonly iss: string
  readonly acr?: string
  readonly amr?: readonly string[]
  readonly auth_time?: number
}

/** All of it travels in each access token. */
const textLengthMax = 200
const methodsMax = 10

/** Undefined when the provider says nothing: then it is held for the weakest proof there is. */
export function toProviderProof({ iss, acr, amr, auth_time: authTime }: Json): ProviderProof | undefined {
  const proof = {
    ...(isText(acr) && { acr }),
    ...(Array.isArray(amr) && amr.length <= methodsMax && amr.every(isText) && { amr: amr as string[] }),
    ...(Number.isSafeInteger(authTime) && { auth_time: authTime as number }),
  }
  return Object.keys(proof).length === 0 ? undefined : { iss: String(iss), ...proof }
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.length <= textLengthMax && !/\p{Cc}/u.test(value)
