import type { AuthDeps } from './deps.ts'
import type { Answer } from './route.ts'
import { toUserJson } from './user.ts'
import type { SignedInVisit } from './visit.ts'

/** `GET /user`: the account behind the token. */
export async function getUser(_deps: AuthDeps, { user }: SignedInVisit): Promise<Answer> {
  return { status: 200, body: toUserJson(user) }
}
