import { errors } from './errors.ts'
import type { Answer } from './route.ts'

/** `POST /sso`: SAML is not part of Pando; apps hear what an installation that has it switched off says. */
export async function signInWithSso(): Promise<Answer> {
  throw errors.samlDisabled()
}
