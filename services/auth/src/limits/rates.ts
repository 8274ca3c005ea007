import type { AuthOptions } from '../config.ts'
import { errors } from '../errors.ts'
import type { Rate } from './limits.ts'

const minuteMs = 60_000
const hourMs = 3_600_000

type RateOption = Extract<keyof AuthOptions, `rateLimit${string}`>

const requests = { refuse: errors.overRequestRate } as const
const mails = { refuse: errors.overMailRate, periodMs: hourMs } as const
const texts = { refuse: errors.overTextRate, periodMs: hourMs } as const

/** Every rate there is; how many tokens it has is an option. */
const rates = {
  signIn: { ...requests, option: 'rateLimitSignInSignUps', periodMs: 5 * minuteMs },
  anonymous: { ...requests, option: 'rateLimitAnonymousUsers', periodMs: hourMs },
  refresh: { ...requests, option: 'rateLimitTokenRefresh', periodMs: 5 * minuteMs },
  verify: { ...requests, option: 'rateLimitTokenVerifications', periodMs: 5 * minuteMs },
  web3: { ...requests, option: 'rateLimitWeb3', periodMs: 5 * minuteMs },
  factor: { ...requests, option: 'rateLimitFactors', periodMs: minuteMs },
  attestation: { ...requests, option: 'rateLimitAttestations', periodMs: 5 * minuteMs },
  mail: { ...mails, option: 'rateLimitEmailSent' },
  mailTo: { ...mails, option: 'rateLimitEmailPerAddress' },
  text: { ...texts, option: 'rateLimitSmsSent' },
  textTo: { ...texts, option: 'rateLimitSmsPerNumber' },
} as const satisfies Readonly<Record<string, Omit<Rate, 'name' | 'count'> & { readonly option: RateOption }>>

export type RateName = keyof typeof rates

export function toRate(name: RateName, options: AuthOptions): Rate {
  const { option, periodMs, refuse } = rates[name]
  return { name, count: options[option], periodMs, refuse }
}
