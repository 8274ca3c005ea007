import { fetchBounded } from '@pando/http/fetch-bounded'
import { createHash } from 'node:crypto'
import type { AuthOptions } from '../config.ts'
import { errors } from '../errors.ts'

type Options = Pick<
  AuthOptions,
  'passwordHibpEnabled' | 'passwordHibpFailClosed' | 'passwordHibpUrl' | 'passwordHibpTimeout'
>

/** Whether a password is among those of known breaches. */
export type IsBreached = (password: string) => Promise<boolean>

const bytesMax = 1024 * 1024

/**
 * Looks for passwords by the range API of Have I Been Pwned: it is told five digits of the SHA-1 and answers with all
 * hashes that begin so, padded, so that neither it nor who listens learns which was meant. Without an answer the
 * password passes with a warning, or is refused, as configured. Undefined while the check is off.
 */
export function createBreachCheck(options: Options, warn: (error: unknown) => void): IsBreached | undefined {
  if (!options.passwordHibpEnabled) return undefined
  return async (password) => {
    const hash = createHash('sha1').update(password).digest('hex').toUpperCase()
    try {
      return isListed(await fetchRange(options, hash.slice(0, 5)), hash.slice(5))
    } catch (error) {
      warn(error)
      if (options.passwordHibpFailClosed) throw errors.breachCheckUnavailable(error)
      return false
    }
  }
}

async function fetchRange({ passwordHibpUrl, passwordHibpTimeout }: Options, prefix: string): Promise<string> {
  const url = `${passwordHibpUrl.replace(/\/$/, '')}/range/${prefix}`
  const headers = { 'add-padding': 'true', 'user-agent': 'pando' }
  const answer = await fetchBounded(url, { headers }, { timeoutMs: passwordHibpTimeout, bytesMax })
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`)
  return answer.text()
}

/** One hash a line with how often it was seen; padding was seen 0 times. */
export function isListed(range: string, suffix: string): boolean {
  return range.split('\n').some((line) => {
    const [listed, count] = line.trim().split(':')
    return listed?.toUpperCase() === suffix && Number(count) > 0
  })
}
