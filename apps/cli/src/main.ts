import { readFileSync } from 'node:fs'

import { keepYoungGenerationSmall } from '@pando/server/young-generation'
import { CommanderError } from 'commander'

import type { Cli, GlobalOptions } from './cli.ts'
import { exitCodes, Failure } from './failure.ts'
import { createProgram } from './program.ts'
import type { Invocation } from './program.ts'
import { createTerminal } from './terminal/terminal.ts'
import type { Terminal } from './terminal/terminal.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** Loads the module of a command only when it runs: `pando --help` needs none of them. */
async function dispatch({ command, args }: Invocation): Promise<void> {
  const cli = createCli(args)
  if (command === 'dev' || command === 'serve') keepYoungGenerationSmall()
  switch (command) {
    case 'init':
      return (await import('./commands/init.ts')).runInit(cli)
    case 'dev':
      return (await import('./commands/dev.ts')).runDev(cli, args)
    case 'serve':
      return (await import('./commands/serve.ts')).runServe(cli, args)
    case 'status':
      return (await import('./commands/status.ts')).runStatus(cli, args)
    case 'keys':
      return (await import('./commands/keys.ts')).runKeys(cli)
    case 'keys rotate':
      return (await import('./commands/keys-rotate.ts')).runKeysRotate(cli, args)
    case 'keys new':
      return (await import('./commands/keys-new.ts')).runKeysNew(cli)
    case 'users list':
      return (await import('./commands/users-list.ts')).runUsersList(cli, args)
    case 'users invite':
      return (await import('./commands/users-invite.ts')).runUsersInvite(cli, args)
    case 'users ban':
      return (await import('./commands/users-change.ts')).runUsersBan(cli, args)
    case 'users unban':
      return (await import('./commands/users-change.ts')).runUsersUnban(cli, args)
    case 'users sign-out':
      return (await import('./commands/users-change.ts')).runUsersSignOut(cli, args)
    case 'users make-admin':
      return (await import('./commands/users-change.ts')).runUsersMakeAdmin(cli, args)
    case 'users import':
      return (await import('./commands/users-import.ts')).runUsersImport(cli, args)
    case 'doctor':
      return (await import('./commands/doctor.ts')).runDoctor(cli)
    case 'migrate new':
      return (await import('./commands/migrate-new.ts')).runMigrateNew(cli, args)
    case 'migrate up':
      return (await import('./commands/migrate-up.ts')).runMigrateUp(cli)
    case 'migrate status':
      return (await import('./commands/migrate-status.ts')).runMigrateStatus(cli)
    case 'migrate reset':
      return (await import('./commands/migrate-reset.ts')).runMigrateReset(cli, args)
    case 'seed':
      return (await import('./commands/seed.ts')).runSeed(cli)
    case 'drill':
      return (await import('./commands/drill.ts')).runDrill(cli, args)
    case 'shard plan':
      return (await import('./commands/shard-plan.ts')).runShardPlan(cli)
    case 'shard apply':
      return (await import('./commands/shard-apply.ts')).runShardApply(cli, args)
    case 'shard status':
      return (await import('./commands/shard-status.ts')).runShardStatus(cli)
    case 'types':
      return (await import('./commands/types.ts')).runTypes(cli, args)
  }
}

function createCli(options: GlobalOptions): Cli {
  return {
    terminal: terminalFor(options),
    environment: process.env,
    workingFolder: process.cwd(),
    now: () => new Date(),
    options,
    version,
  }
}

/** Colours by the `NO_COLOR` and `FORCE_COLOR` conventions; progress only where a person watches. */
function terminalFor(options: GlobalOptions): Terminal {
  const { NO_COLOR: noColour, FORCE_COLOR: forceColour } = process.env
  const wanted =
    forceColour !== undefined && forceColour !== '0' ? true : process.stdout.isTTY && process.stderr.isTTY && !noColour
  return createTerminal({
    json: options.json === true,
    quiet: options.quiet === true,
    progress: process.stderr.isTTY,
    colour: options.color !== false && wanted,
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
  })
}

/** The end of a command that did not go well: one message, one exit code. */
function report(error: unknown): number {
  // Commander has printed its own message; help and version come this way too, with code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  const json = process.argv.includes('--json')
  const terminal = terminalFor({ json, color: !process.argv.includes('--no-color') })
  if (!(error instanceof Failure)) {
    terminal.fail(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return exitCodes.fault
  }
  if (json) {
    const { reason, message, remedy, facts } = error
    process.stdout.write(`${JSON.stringify({ error: { reason, message, remedy, ...facts } })}\n`)
  } else {
    terminal.fail(error.message)
    if (error.remedy !== undefined) process.stderr.write(`${terminal.paint('dim', error.remedy)}\n`)
  }
  return exitCodes[error.reason]
}

// A reader that has seen enough (`pando types | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(exitCodes.ok)
  throw error
})

try {
  await createProgram(version, dispatch).parseAsync()
} catch (error) {
  process.exitCode = report(error)
}
