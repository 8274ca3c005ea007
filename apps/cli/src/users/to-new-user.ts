import { isTable } from '../project/toml.ts'
import { toFirebaseHash } from './firebase-hash.ts'
import type { FirebaseHashing } from './firebase-hash.ts'

/** The body of `POST /admin/users`. */
export type NewUser = Readonly<Record<string, unknown>>

export type ImportRules = {
  /** Whether an address counts as confirmed where the file does not say. */
  readonly confirmed: boolean
  readonly firebase?: FirebaseHashing
}

type Fields = Readonly<Record<string, unknown>>

/** A hundred years, as the admin API writes a ban without an end. */
const forever = '876000h'

/**
 * What the admin API is told of a user of another system. Known are our own names (those of the table `auth.users`
 * too), and those of Firebase's and Auth0's exports. Throws with the reason when a field is of no use.
 */
export function toNewUser(fields: Fields, rules: ImportRules): NewUser {
  const { localId } = fields
  const hash = textOf(fields, 'password_hash', 'encrypted_password', 'passwordHash')
  const salt = textOf(fields, 'salt')
  return {
    id: textOf(fields, 'id'),
    email: textOf(fields, 'email'),
    phone: textOf(fields, 'phone', 'phoneNumber', 'phone_number'),
    password: textOf(fields, 'password'),
    password_hash: hash !== undefined && salt !== undefined ? toFirebaseHash(hash, salt, rules.firebase) : hash,
    email_confirm:
      flagOf(fields, 'email_confirmed', 'email_confirmed_at', 'email_verified', 'emailVerified') ?? rules.confirmed,
    phone_confirm:
      flagOf(fields, 'phone_confirmed', 'phone_confirmed_at', 'phone_verified') ??
      (localId !== undefined || rules.confirmed),
    ban_duration: flagOf(fields, 'banned', 'disabled', 'blocked') === true ? forever : undefined,
    user_metadata: {
      ...named('full_name', textOf(fields, 'displayName', 'name')),
      ...named('avatar_url', textOf(fields, 'photoUrl', 'picture')),
      ...objectOf(fields, 'user_metadata', 'raw_user_meta_data'),
    },
    app_metadata: {
      ...named('firebase_uid', localId),
      ...objectOf(fields, 'app_metadata', 'raw_app_meta_data', 'customAttributes'),
    },
  }
}

const named = (name: string, value: unknown): Fields => (value === undefined ? {} : { [name]: value })

/** The first of these fields that is there; empty cells of a CSV are not. */
function find(fields: Fields, names: readonly string[]): [name: string, value: unknown] | undefined {
  const name = names.find((each) => ![undefined, null, ''].includes(fields[each] as null))
  return name === undefined ? undefined : [name, fields[name]]
}

function textOf(fields: Fields, ...names: readonly string[]): string | undefined {
  const [name, value] = find(fields, names) ?? []
  if (value === undefined || typeof value === 'string') return value
  throw new Error(`${name} must be text`)
}

/** True or false in words, a number, or a time at which it became true. */
function flagOf(fields: Fields, ...names: readonly string[]): boolean | undefined {
  const [, value] = find(fields, names) ?? []
  if (value === undefined) return undefined
  return !/^(false|f|no|0)$/i.test(String(value))
}

function objectOf(fields: Fields, ...names: readonly string[]): Fields {
  const [name, value] = find(fields, names) ?? []
  if (value === undefined) return {}
  const object: unknown = typeof value === 'string' ? parse(value) : value
  if (!isTable(object)) throw new Error(`${name} must be a JSON object`)
  return object
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
