import { Refusal } from '@pando/core/refusal'
import { canonicalEmail } from '../email.ts'
import type { Metadata } from '../store/users.ts'
import type { ProviderProof } from './provider-proof.ts'

/** Somebody as a provider describes them. */
export type Profile = {
  /** The provider's name for them, which never becomes somebody else's. An address does; it is no name. */
  readonly subject: string
  /** In canonical form; undefined where the provider tells none that can be used. */
  readonly email?: string
  /** Whether the provider says that the address is theirs. */
  readonly emailVerified: boolean
  /** What else it tells, by the names that apps read in `user_metadata`. */
  readonly facts: Metadata
  readonly proof?: ProviderProof
}

export type Json = Readonly<Record<string, unknown>>

export type ToldEmail = { readonly address: unknown; readonly verified: boolean; readonly primary?: boolean }

export type Told = {
  readonly issuer: string
  readonly subject: unknown
  readonly emails: readonly ToldEmail[]
  readonly name?: unknown
  readonly fullName?: unknown
  readonly picture?: unknown
  readonly userName?: unknown
  readonly nickname?: unknown
  readonly custom?: Json
}

/** Longest text that is taken over from a provider: all of it travels in each access token. */
const textLengthMax = 2000
const subjectLengthMax = 255

/** Puts together what a provider told. Throws when it did not say who it is about. */
export function toProfile(told: Told): Profile {
  const subject = toSubject(told.subject)
  const { email, verified } = chooseEmail(told.emails)
  const name = toText(told.name)
  const picture = toText(told.picture)
  const userName = toText(told.userName)
  return {
    subject,
    email,
    emailVerified: verified,
    facts: withoutAbsent({
      iss: told.issuer,
      sub: subject,
      provider_id: subject,
      name,
      full_name: toText(told.fullName) ?? name,
      picture,
      avatar_url: picture,
      preferred_username: userName,
      user_name: userName,
      nickname: toText(told.nickname),
      custom_claims: toCustom(told.custom),
      email,
      email_verified: verified,
      phone_verified: false,
    }),
  }
}

/** Numbers are as good as texts: older services count their people. */
function toSubject(subject: unknown): string {
  const text = typeof subject === 'number' && Number.isSafeInteger(subject) ? String(subject) : subject
  if (typeof text !== 'string' || text === '' || text.length > subjectLengthMax || /\p{Cc}/u.test(text))
    throw new Error(`the provider names nobody: ${JSON.stringify(subject)?.slice(0, 80)}`)
  return text
}

/** The primary address, else the last one, as others do on this wire. */
function chooseEmail(emails: readonly ToldEmail[]): { email?: string; verified: boolean } {
  const usable = emails.flatMap(({ address, verified, primary }) => {
    const email = toEmail(address)
    return email === undefined ? [] : [{ email, verified, primary }]
  })
  return usable.find(({ primary }) => primary) ?? usable.at(-1) ?? { verified: false }
}

function toEmail(address: unknown): string | undefined {
  if (typeof address !== 'string' || address === '') return undefined
  try {
    return canonicalEmail(address)
  } catch (error) {
    if (error instanceof Refusal) return undefined
    throw error
  }
}

/** Control characters go: Postgres cannot store all of them, and nobody has one in their name. */
function toText(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined
  const text = value
    .replaceAll(/\p{Cc}/gu, '')
    .trim()
    .slice(0, textLengthMax)
    .toWellFormed()
  return text === '' ? undefined : text
}

function toCustom(custom: Json = {}): Metadata | undefined {
  const kept = withoutAbsent(
    Object.fromEntries(
      Object.entries(custom).map(([name, value]) => [
        name,
        typeof value === 'boolean' || typeof value === 'number' ? value : toText(value),
      ]),
    ),
  )
  return Object.keys(kept).length === 0 ? undefined : kept
}

const withoutAbsent = (facts: Record<string, unknown>): Metadata =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))

/** Providers write booleans also as text and as numbers. */
export const isTrue = (value: unknown): boolean => value === true || value === 'true' || value === 1 || value === '1'

export const toObject = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}

export const toList = (value: unknown): readonly Json[] => (Array.isArray(value) ? value.map(toObject) : [])
