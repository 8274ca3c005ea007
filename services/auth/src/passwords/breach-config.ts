import type { Option } from '@pando/config/option'

/** Passwords that are on lists of attackers already. */
export const breachOptions = {
  passwordHibpEnabled: {
    type: 'boolean',
    default: false,
    text: 'Whether new passwords are looked for among those of known breaches (Have I Been Pwned). Only the first five of 40 digits of a hash leave the house.',
  },
  passwordHibpFailClosed: {
    type: 'boolean',
    default: false,
    text: 'Whether a new password is refused while that service gives no answer.',
  },
  passwordHibpUrl: {
    type: 'url',
    default: 'https://api.pwnedpasswords.com',
    text: 'Address of the service, or of a copy of your own.',
  },
  passwordHibpTimeout: {
    type: 'duration',
    default: 5_000,
    min: 100,
    text: 'Longest wait for that service.',
  },
} as const satisfies Readonly<Record<string, Option>>
