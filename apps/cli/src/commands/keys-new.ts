import { generateSigningJwk } from '@pando/http/auth/sign-jwt'

import type { Cli } from '../cli.ts'

/**
 * `pando keys new`: a private ES256 key in the form of `signing_keys_path` and `PANDO_JWT_SIGNING_KEYS`; kept nowhere.
 */
export function runKeysNew(cli: Cli): void {
  const keys = [generateSigningJwk()]
  cli.terminal.result(keys, () => JSON.stringify(keys, null, 2))
}
