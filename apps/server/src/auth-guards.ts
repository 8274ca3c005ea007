import { createAttestation, createBreachCheck, createCaptcha, createHooks, createLimits } from '@pando/auth'
import { createDatabase, type Database } from '@pando/postgres/database'
import type { ServerUrl } from '@pando/postgres/server-url'
import { randomBytes } from 'node:crypto'
import type { Shared } from './roles.ts'

type GuardDeps = {
  readonly url: ServerUrl
  /** Where hooks in Postgres run. */
  readonly database: Database
  readonly pepper: Buffer
}

/** Counting must not wait for what is counted: connections of its own, and no long wait for one or for an answer. */
const limitConnectionsMax = 2
const limitMsMax = 2_000

/** What stands between strangers and the auth service: limits, captchas, the breach check and the project's hooks. */
export function createAuthGuards({ config, clock, logger }: Shared, { url, database, pepper }: GuardDeps) {
  const options = config.auth
  const warn = (text: string) => (error: unknown) => logger.warn({ err: error }, text)
  return {
    limits: createLimits({
      database: createDatabase({
        url,
        applicationName: 'pando auth limits',
        connectionsMax: limitConnectionsMax,
        connectMs: limitMsMax,
        statementMsMax: limitMsMax,
        prepares: true,
        onConnectionLost: warn('an idle connection to Postgres was lost'),
      }),
      clock,
      pepper,
      options,
      onCleanupFailed: warn('rows of limits that are no longer needed could not be removed'),
    }),
    hooks: createHooks({
      database,
      clock,
      randomBytes,
      options,
      onFailed: (hook, error) => logger.warn({ hook, err: error }, 'a hook refused or failed'),
    }),
    attestation: createAttestation({
      options,
      clock,
      warn: warn('Play Integrity gave no answer; nobody was attested'),
    }),
    checkCaptcha: createCaptcha(options, warn('the captcha provider gave no answer; nobody passed')),
    isBreached: createBreachCheck(options, warn('the breach check gave no answer')),
  }
}
