import { ConfigurationError, type Sources } from '@pando/config/read-configuration'
import { flagName } from '@pando/config/options'
import { parseArgs } from 'node:util'
import { readServerConfig, serverGroups } from './config.ts'
import { toPostgresAddresses } from './database-options.ts'
import { createFactories } from './factories.ts'
import { drainOnSignals } from './signals.ts'
import { startServer } from './start-server.ts'

/** Every option as a flag of the command line; booleans stand alone or take a value after `=`. */
function parseFlags(argv: readonly string[]): NonNullable<Sources['flags']> {
  const named = Object.values(serverGroups).flatMap(({ prefix, options }) =>
    Object.entries(options).map(([name, option]) => [
      flagName(prefix, name, option),
      { type: option.type === 'boolean' ? 'boolean' : 'string' } as const,
    ]),
  )
  return parseArgs({ args: [...argv], options: Object.fromEntries(named), strict: false }).values as NonNullable<
    Sources['flags']
  >
}

/** Runs a node until it is told to end: `node apps/server/src/main.ts --services rest --port 8000`. */
async function main(): Promise<void> {
  const config = readServerConfig({ environment: process.env, flags: parseFlags(process.argv.slice(2)) })
  const server = await startServer(config, createFactories(toPostgresAddresses(config.database)))
  drainOnSignals(process, server, (code) => process.exit(code))
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof ConfigurationError ? error.message : describe(error)}\n`)
  process.exitCode = 1
})

function describe(error: unknown): string {
  return error instanceof Error ? `The node did not start: ${error.message}` : String(error)
}
