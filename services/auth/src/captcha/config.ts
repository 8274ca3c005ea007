import type { Option } from '@pando/config/option'

/** Proof that somebody is human, before sign-up, sign-in and mails. */
export const captchaOptions = {
  captchaEnabled: {
    type: 'boolean',
    default: false,
    toml: 'auth.captcha.enabled',
    text: 'Whether sign-up, sign-in by password and requests for codes need a captcha.',
  },
  captchaProvider: {
    type: 'enum',
    values: ['hcaptcha', 'turnstile'],
    default: 'hcaptcha',
    toml: 'auth.captcha.provider',
    text: 'Who checks captchas.',
  },
  captchaSecret: {
    type: 'secret',
    default: null,
    toml: 'auth.captcha.secret',
    text: 'The secret that the provider gave for the site.',
  },
  captchaUrl: {
    type: 'url',
    default: null,
    text: 'Where captchas are checked; the public address of the provider if not given.',
  },
  captchaTimeout: {
    type: 'duration',
    default: 10_000,
    min: 100,
    text: 'Longest wait for the provider; without an answer nobody passes.',
  },
} as const satisfies Readonly<Record<string, Option>>
