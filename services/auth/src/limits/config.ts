import type { Option } from '@pando/config/option'

/** Limits against abuse. Where an existing `config.toml` has one, name and meaning are its own. */
export const limitOptions = {
  rateLimitSignInSignUps: {
    type: 'integer',
    default: 30,
    min: 0,
    toml: 'auth.rate_limit.sign_in_sign_ups',
    text: 'Sign-ins, sign-ups and requests for a code or link from one network (an IPv4 address, an IPv6 /64) in 5 minutes.',
  },
  rateLimitTokenRefresh: {
    type: 'integer',
    default: 150,
    min: 0,
    toml: 'auth.rate_limit.token_refresh',
    text: 'Sessions refreshed or ended from one network, and by one person, in 5 minutes.',
  },
  rateLimitTokenVerifications: {
    type: 'integer',
    default: 30,
    min: 0,
    toml: 'auth.rate_limit.token_verifications',
    text: 'Codes and links tried, and returns from providers, from one network in 5 minutes.',
  },
  rateLimitWeb3: {
    type: 'integer',
    default: 30,
    min: 0,
    toml: 'auth.rate_limit.web3',
    text: 'Sign-ins with a wallet tried from one network in 5 minutes. There are none here: each is refused as switched off.',
  },
  rateLimitAnonymousUsers: {
    type: 'integer',
    default: 30,
    min: 0,
    toml: 'auth.rate_limit.anonymous_users',
    text: 'Anonymous users made from one network in an hour.',
  },
  rateLimitFactors: {
    type: 'integer',
    default: 15,
    min: 0,
    text: 'Challenges and codes of second factors from one network, and of one person, in a minute.',
  },
  rateLimitEmailSent: {
    type: 'integer',
    default: 30,
    min: 0,
    toml: 'auth.rate_limit.email_sent',
    text: 'Mails sent by the whole installation in an hour; mails that only the mailbox of development shows are free.',
  },
  rateLimitEmailPerAddress: {
    type: 'integer',
    default: 20,
    min: 0,
    text: 'Mails that may be asked for to one address in an hour, whether it has an account or not.',
  },
  rateLimitSmsSent: {
    type: 'integer',
    default: 30,
    min: 0,
    toml: 'auth.rate_limit.sms_sent',
    text: 'Text messages sent by the whole installation in an hour.',
  },
  rateLimitSmsPerNumber: {
    type: 'integer',
    default: 10,
    min: 0,
    text: 'Text messages that may be asked for to one number in an hour, whether it has an account or not.',
  },
  rateLimitLoopback: {
    type: 'boolean',
    default: true,
    text: 'Whether callers on this machine are limited like others. Turn it off for tests, never behind a proxy on the same machine.',
  },
  failuresFree: {
    type: 'integer',
    default: 10,
    min: 1,
    text: 'Wrong passwords or codes of one account before the next one has to wait: 1 s, 2 s, 4 s, up to an hour.',
  },
  failuresMax: {
    type: 'integer',
    default: 100,
    min: 2,
    max: 100,
    text: 'Wrong passwords or codes in a row until no more are taken (NIST SP 800-63B-4 §3.2.2): half of them from networks that the account was never signed in to from, half from known ones.',
  },
} as const satisfies Readonly<Record<string, Option>>
