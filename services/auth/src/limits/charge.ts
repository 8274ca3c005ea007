import type { AuthOptions } from '../config.ts'
import type { AuthDeps } from '../deps.ts'
import { canonicalEmail } from '../email.ts'
import { canonicalPhone } from '../phone.ts'
import { isAdmin, type SignedInVisit, type Visit } from '../visit.ts'
import type { Bucket } from './limits.ts'
import { isLoopback, toNetwork } from '@pando/http/network'
import { type RateName, toRate } from './rates.ts'

/** What a request costs: a token of its network and, when somebody is signed in, of that person. */
export type Charge = {
  readonly rate: RateName
  /** Whom the request may make us write to, as they came in the body. */
  readonly email?: string
  readonly phone?: string
}

/** How an endpoint is limited: always alike, or as the request says. */
export type Limit<Body> = RateName | LimitOf<Body>
export type LimitOf<Body> = (visit: Visit, body: Body, options: AuthOptions) => Charge

/**
 * Takes what a request costs before anything is done for it. It is counted by what the router found, so all spellings
 * of a path are one; mails and texts are counted by the address that was asked for, known or not, so that nobody learns
 * from a refusal who has an account. Admins have a key of the installation and are not limited.
 *
 * @throws over_request_rate_limit, over_email_send_rate_limit or over_sms_send_rate_limit, with `Retry-After`
 */
export async function charge(
  { limits, options }: AuthDeps,
  visit: Visit | SignedInVisit,
  { rate, email, phone }: Charge,
): Promise<void> {
  if (isAdmin(visit)) return
  const bucketOf = (name: RateName, subject: string, cost?: 0): Bucket => ({
    rate: toRate(name, options),
    subject,
    cost,
  })
  const isExempt = !options.rateLimitLoopback && isLoopback(visit.address)
  const to = email ? canonical(canonicalEmail, email) : undefined
  const number = phone ? canonical(canonicalPhone, phone) : undefined
  const buckets = [
    ...(isExempt ? [] : [bucketOf(rate, toNetwork(visit.address))]),
    ...('user' in visit && !isExempt ? [bucketOf(rate, visit.user.id)] : []),
    ...(to === undefined ? [] : [bucketOf('mailTo', to), bucketOf('mail', '', 0)]),
    ...(number === undefined ? [] : [bucketOf('textTo', number), bucketOf('text', '', 0)]),
  ]
  if (buckets.length > 0) await limits.take(buckets)
}

/** What is no address will be refused as such. */
function canonical(toCanonical: (text: string) => string, text: string): string | undefined {
  try {
    return toCanonical(text)
  } catch {
    return undefined
  }
}
