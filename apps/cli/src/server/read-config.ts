import { ConfigurationError } from '@pando/config/read-configuration'
import type { Sources } from '@pando/config/read-configuration'
import { readServerConfig } from '@pando/server/config'
import type { ServerConfig } from '@pando/server/config'

import { Failure } from '../failure.ts'
import type { Environment } from '../project/env-files.ts'

/** Reads the server's configuration; all mistakes in one `Failure`. */
export function readConfig(sources: Sources): ServerConfig {
  try {
    return readServerConfig(sources)
  } catch (error) {
    throw explainMistakes(error)
  }
}

/** Some mistakes only show when the services are made; any other error stays as it is. */
export function explainMistakes(error: unknown): unknown {
  if (!(error instanceof ConfigurationError)) return error
  return new Failure('project', error.message, {
    remedy: 'Correct them and run the command again.',
    facts: { mistakes: error.mistakes },
  })
}

/** Refuses early, as `readConfig` would, what the server is going to be given besides the keys. */
export const checkConfig = (sources: Sources): void => void readConfig(withSomeSecret(sources))

/** What `checkConfig` would complain of. */
export function listConfigMistakes(sources: Sources): readonly string[] {
  try {
    readServerConfig(withSomeSecret(sources))
    return []
  } catch (error) {
    if (error instanceof ConfigurationError) return error.mistakes
    throw error
  }
}

/** The keys have rules of their own, see `project/keys.ts`. */
const withSomeSecret = (sources: Sources): Sources => ({
  ...sources,
  environment: { ...sources.environment, PANDO_JWT_SECRET: '-'.repeat(64) },
})

/** Variables that are the command's own and none of the server's options. */
const ownVariables = /^PANDO_(ENV$|PROJECT_)/

/**
 * The variables that the server reads its options from; it refuses those with a `PANDO_` name that it does not know.
 */
export function serverVariables(environment: Environment): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ownVariables.test(name)))
}
