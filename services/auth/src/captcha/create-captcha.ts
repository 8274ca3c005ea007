import { fetchBounded } from '@pando/http/fetch-bounded'
import type { AuthOptions } from '../config.ts'
import { errors } from '../errors.ts'
import { parseObject } from '../parse-object.ts'

type Options = Pick<
  AuthOptions,
  'captchaEnabled' | 'captchaProvider' | 'captchaSecret' | 'captchaUrl' | 'captchaTimeout'
>

/** Fulfils for a token that the provider gave to somebody at this address and that was not used before. */
export type CheckCaptcha = (token: string, address: string) => Promise<void>

const urls = {
  hcaptcha: 'https://api.hcaptcha.com/siteverify',
  turnstile: 'https://challenges.cloudflare.com/turnstile/v0/siteverify',
} as const

const bytesMax = 64 * 1024

/**
 * Asks the provider about a token; it is the provider who accepts each only once. Undefined while captchas are off.
 *
 * @throws when they are on without a secret
 */
export function createCaptcha(options: Options, warn: (error: unknown) => void): CheckCaptcha | undefined {
  if (!options.captchaEnabled) return undefined
  const secret = options.captchaSecret?.reveal().trim()
  if (!secret) throw new Error('Captchas are enabled without a secret: set PANDO_AUTH_CAPTCHA_SECRET.')
  const url = options.captchaUrl ?? urls[options.captchaProvider]
  return async (token, address) => {
    const body = new URLSearchParams({ secret, response: token, remoteip: address })
    const result = await ask(url, body, options.captchaTimeout).catch((error: unknown) => {
      warn(error)
      throw errors.captchaUnavailable(error)
    })
    if (result['success'] === true) return
    const codes = result['error-codes']
    throw errors.captchaFailed(Array.isArray(codes) ? codes.join(', ') : 'no reason given')
  }
}

async function ask(url: string, body: URLSearchParams, timeoutMs: number): Promise<Readonly<Record<string, unknown>>> {
  const answer = await fetchBounded(url, { method: 'POST', body }, { timeoutMs, bytesMax })
  return parseObject(await answer.text())
}
