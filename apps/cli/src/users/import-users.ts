import { Failure } from '../failure.ts'
import { ApiRefusal } from './admin-api.ts'
import type { AdminApi } from './admin-api.ts'
import type { UserRecord } from './read-records.ts'
import type { NewUser } from './to-new-user.ts'

export type Refused = { readonly place: number; readonly reason: string }

export type Imported = {
  readonly created: number
  /** Those that were there already; they are left as they are. */
  readonly existing: number
  readonly refused: readonly Refused[]
}

type Import = {
  readonly records: readonly UserRecord[]
  readonly toNewUser: (fields: UserRecord['fields']) => NewUser
  /** Called after each user. */
  readonly onUser: () => void
}

const parallel = 8
/** What is not about the one user. */
const endsImport: ReadonlySet<number> = new Set([401, 403, 404, 429, 500, 501, 502, 503, 504])
const existsCodes: ReadonlySet<string> = new Set(['email_exists', 'phone_exists', 'user_already_exists'])

/**
 * Creates the users, several at a time. Who is there already is left alone, so it may run again; what the API refuses
 * is collected. Rejects when the API cannot be reached or lets nobody in.
 */
export async function importUsers(api: AdminApi, { records, toNewUser, onUser }: Import): Promise<Imported> {
  const counts = { created: 0, existing: 0 }
  const refused: Refused[] = []
  const left = records.values()

  async function work(): Promise<void> {
    for (const { place, fields } of left) {
      const outcome = await create(api, () => toNewUser(fields))
      if (typeof outcome === 'string') counts[outcome] += 1
      else refused.push({ place, reason: outcome.reason })
      onUser()
    }
  }

  await Promise.all(Array.from({ length: parallel }, work))
  return { ...counts, refused: refused.toSorted((a, b) => a.place - b.place) }
}

async function create(api: AdminApi, toBody: () => NewUser): Promise<'created' | 'existing' | { reason: string }> {
  try {
    await api.ask('POST', '/admin/users', toBody())
    return 'created'
  } catch (error) {
    if (error instanceof ApiRefusal && existsCodes.has(error.code)) return 'existing'
    if (error instanceof ApiRefusal && !endsImport.has(error.status)) return { reason: error.message }
    if (error instanceof Failure || !(error instanceof Error)) throw error
    return { reason: error.message }
  }
}
