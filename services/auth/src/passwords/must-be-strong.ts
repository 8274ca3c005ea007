import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { passwordBytesMax, type Weakness, whyWeak } from './password-rules.ts'

type Deps = Pick<AuthDeps, 'options' | 'isBreached'>

/** What a password lacks, breaches included; undefined when it is good. */
export async function judgePassword({ options, isBreached }: Deps, password: string): Promise<Weakness | undefined> {
  const weak = whyWeak(password, options)
  if (!(await isBreached?.(password))) return weak
  const message = 'Password is known to be weak and easy to guess, please choose a different one.'
  return {
    message: weak === undefined ? message : `${weak.message} ${message}`,
    reasons: [...(weak?.reasons ?? []), 'pwned'],
  }
}

/** @throws weak_password with all reasons, when a new password does not keep the rules */
export async function mustBeStrong(deps: Deps, password: string): Promise<void> {
  if (Buffer.byteLength(password) > passwordBytesMax)
    throw errors.invalid(`Password cannot be longer than ${passwordBytesMax} bytes`)
  const weak = await judgePassword(deps, password)
  if (weak !== undefined) throw errors.weakPassword(weak.message, weak.reasons)
}
