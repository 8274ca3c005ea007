import { hmacSigningKey, signJwt } from '@pando/http/auth/sign-jwt'
import type { Caller } from './policy-model.ts'

/** Subjects of tokens and owners of rows. */
export const people = [
  '00000000-0000-4000-8000-00000000000a',
  '00000000-0000-4000-8000-00000000000b',
  '00000000-0000-4000-8000-00000000000c',
  '00000000-0000-4000-8000-00000000000d',
] as const

/** Texts of rows, and teams of callers. */
export const words = ['red', 'blue', 'green', 'amber', 'x'] as const

const signedIn = (name: string, claims: Record<string, string>): Caller => ({
  name,
  role: 'authenticated',
  claims: { role: 'authenticated', ...claims },
})

/**
 * Everyone who asks: nobody, an anonymous key, people in teams and in none, no one in particular, and the role that
 * passes policies.
 */
export const callers: readonly Caller[] = [
  { name: 'nobody', role: 'anon' },
  { name: 'anonymous key', role: 'anon', claims: { role: 'anon', team: 'green' } },
  ...people.flatMap((sub, index) => [
    signedIn(`person ${index}`, { sub }),
    signedIn(`person ${index} of red`, { sub, team: 'red' }),
    signedIn(`person ${index} of blue`, { sub, team: 'blue' }),
  ]),
  signedIn('somebody of red', { team: 'red' }),
  { name: 'service', role: 'service_role', claims: { role: 'service_role' } },
]

/** The headers by which a caller is known. */
export async function headersOf(caller: Caller, secret: string): Promise<Record<string, string>> {
  if (caller.claims === undefined) return {}
  return { authorization: `Bearer ${await signJwt({ ...caller.claims }, hmacSigningKey(secret))}` }
}
