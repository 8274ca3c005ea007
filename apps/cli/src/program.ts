import { Command, InvalidArgumentError, Option } from 'commander'

import type { GlobalOptions } from './cli.ts'
import { command, examples } from './program-command.ts'
import { exitCodes } from './failure.ts'
import { addDrillCommand } from './program-drill.ts'
import type { DrillInvocation } from './program-drill.ts'
import { addShardCommands } from './program-shard.ts'
import type { ShardInvocation } from './program-shard.ts'
import { addUserCommands } from './program-users.ts'
import type { UsersInvocation } from './program-users.ts'

/** Every command's name and what it is given; `main.ts` has the modules that run them. */
export type Invocation =
  | { readonly command: 'init' | 'doctor' | 'migrate up' | 'migrate status'; readonly args: GlobalOptions }
  | { readonly command: 'status'; readonly args: GlobalOptions & { output?: string } }
  | { readonly command: 'dev'; readonly args: GlobalOptions & { dbPort?: number; watch: boolean } }
  | { readonly command: 'serve'; readonly args: GlobalOptions & { services?: string; host?: string; workers?: number } }
  | { readonly command: 'migrate new'; readonly args: GlobalOptions & { name: string } }
  | { readonly command: 'migrate reset'; readonly args: GlobalOptions & { yes?: boolean; seed: boolean } }
  | { readonly command: 'seed'; readonly args: GlobalOptions }
  | { readonly command: 'types'; readonly args: GlobalOptions & { output?: string; schema?: string[] } }
  | UsersInvocation
  | DrillInvocation
  | ShardInvocation
  | { readonly command: 'keys' | 'keys new'; readonly args: GlobalOptions }
  | { readonly command: 'keys rotate'; readonly args: GlobalOptions & { all?: boolean; yes?: boolean } }

type Run = (invocation: Invocation) => Promise<void>

const exitCodesText = `
Exit codes:
  ${exitCodes.ok}  done                        ${exitCodes.database}  database unreachable, migration or seed failed
  ${exitCodes.fault}  a fault of Pando itself     ${exitCodes.busy}  port or project folder in use
  ${exitCodes.usage}  wrong option or command     ${exitCodes.interrupted}  stopped by Ctrl-C
  ${exitCodes.project}  project folder or config.toml has mistakes
  ${exitCodes.api}  the API does not answer or refuses`

/** The command line as commander sees it; `run` gets what was asked for. */
export function createProgram(version: string, run: Run): Command {
  const program = new Command('pando')
    .description('A mobile backend over PostgreSQL that starts with one command.')
    .version(version, '-V, --version', 'print the version')
    .option('--project <dir>', 'folder that holds pando/ or supabase/ (default: searched upwards from here)')
    .addOption(new Option('--port <number>', 'port of the API (default: [api].port, 54321)').argParser(parsePort))
    .option('--db-url <url>', 'work on this PostgreSQL instead of the embedded one (or DATABASE_URL)')
    .option('--json', 'results as JSON, one document a line')
    .option('--quiet', 'results and errors only')
    .option('--no-color', 'no colours (also NO_COLOR)')
    .showHelpAfterError('(pando --help lists what there is)')
    .configureHelp({ showGlobalOptions: false, sortSubcommands: false })
    .helpCommand('help [command]', 'show help of a command')
    .exitOverride()
  addProjectCommands(program, run)
  addKeyCommands(program, run)
  addUserCommands(program, run)
  addMigrateCommands(program, run)
  addDatabaseCommands(program, run)
  addDrillCommand(program, run)
  addShardCommands(program, run)
  program.addHelpText(
    'after',
    `
Examples:
  pando init                        make a project in this folder
  pando dev                         run it: database, API, migrations as you save them
  pando migrate new "add trips"     start a migration
  pando status --json               URLs and keys for scripts
${exitCodesText}`,
  )
  return program
}

function addProjectCommands(program: Command, run: Run): void {
  command(program, 'init', 'make a new project: config.toml, a first migration, seed.sql', [
    'pando init',
    'pando init --project ../app',
  ]).action((_, self: Command) => run({ command: 'init', args: self.optsWithGlobals() }))
  command(program, 'dev', 'run everything on this machine and follow the migrations as they are saved', [
    'pando dev',
    'pando dev --port 8000',
    'pando dev --db-url postgres://postgres@localhost/app',
  ])
    .addOption(
      new Option('--db-port <number>', 'port of the embedded PostgreSQL (default: [db].port, 54322)').argParser(
        parsePort,
      ),
    )
    .option('--no-watch', 'do not follow changes of the project folder')
    .action((_, self: Command) => run({ command: 'dev', args: self.optsWithGlobals() }))
  command(program, 'serve', 'run a node of a deployment; settings come from the environment', [
    'DATABASE_URL=postgres://… pando serve',
    'pando serve --services rest,auth --port 8080',
    'pando serve --workers auto',
  ])
    .option('--services <list>', 'services of this node, comma-separated (default: all)')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .addOption(
      new Option('--workers <number>', 'processes that share the port; auto: one for each core').argParser(
        parseWorkers,
      ),
    )
    .action((_, self: Command) => run({ command: 'serve', args: self.optsWithGlobals() }))
  command(program, 'status', 'URLs and keys of the project, and whether it runs', [
    'pando status',
    'pando status --json | jq -r .ANON_KEY',
    'pando status --output env > .env.local',
  ])
    .addOption(new Option('-o, --output <format>', 'another form of the same').choices(['json', 'env']))
    .action((_, self: Command) => run({ command: 'status', args: self.optsWithGlobals() }))
  command(program, 'doctor', 'check Node, disk, ports, database and project, and say what to do', [
    'pando doctor',
  ]).action((_, self: Command) => run({ command: 'doctor', args: self.optsWithGlobals() }))
}

function addKeyCommands(program: Command, run: Run): void {
  const keys = command(program, 'keys', 'show the API keys and the keys that sign tokens; make new ones', [
    'pando keys',
    'pando keys rotate',
  ]).action((_, self: Command) => run({ command: 'keys', args: self.optsWithGlobals() }))
  command(keys, 'rotate', 'sign tokens with a new key; nobody is signed out', [
    'pando keys rotate',
    'pando keys rotate --all --yes',
  ])
    .option('--all', 'make every key and secret anew; the old ones stop working')
    .option('--yes', 'do not ask')
    .action((_, self: Command) => run({ command: 'keys rotate', args: self.optsWithGlobals() }))
  command(keys, 'new', 'print a new private key for signing_keys_path or PANDO_JWT_SIGNING_KEYS', [
    'pando keys new > pando/signing_keys.json',
  ]).action((_, self: Command) => run({ command: 'keys new', args: self.optsWithGlobals() }))
}

function addMigrateCommands(program: Command, run: Run): void {
  const migrate = program.command('migrate').description('make, apply and inspect migrations')
  migrate.addHelpText(
    'after',
    examples(['pando migrate new "add trips"', 'pando migrate up', 'pando migrate status', 'pando migrate reset']),
  )
  command(migrate, 'new', 'make an empty migration named <timestamp>_<name>.sql', ['pando migrate new "add trips"'])
    .argument('<name...>', 'what it does, in a few words')
    .action((words: string[], _, self: Command) =>
      run({ command: 'migrate new', args: { ...self.optsWithGlobals<GlobalOptions>(), name: words.join(' ') } }),
    )
  command(migrate, 'up', 'apply the migrations that are new', ['pando migrate up']).action((_, self: Command) =>
    run({ command: 'migrate up', args: self.optsWithGlobals() }),
  )
  command(migrate, 'status', 'list the migrations and which are applied', ['pando migrate status --json']).action(
    (_, self: Command) => run({ command: 'migrate status', args: self.optsWithGlobals() }),
  )
  command(migrate, 'reset', 'empty the database, then apply all migrations and the seed', ['pando migrate reset --yes'])
    .option('--yes', 'do not ask')
    .option('--no-seed', 'leave the seed out')
    .action((_, self: Command) => run({ command: 'migrate reset', args: self.optsWithGlobals() }))
}

function addDatabaseCommands(program: Command, run: Run): void {
  command(program, 'seed', 'load the seed files into the database as it is', ['pando seed']).action(
    (_, self: Command) => run({ command: 'seed', args: self.optsWithGlobals() }),
  )
  command(program, 'types', 'write the Database type for createClient<Database>()', [
    'pando types > database.types.ts',
    'pando types --output src/database.types.ts',
  ])
    .option('--output <file>', 'write to a file instead of standard output')
    .option('--schema <names...>', 'schemas to describe (default: [api].schemas)')
    .action((_, self: Command) => run({ command: 'types', args: self.optsWithGlobals() }))
}

const portMax = 65_535

function parsePort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (port >= 0 && port <= portMax) return port
  throw new InvalidArgumentError(`A port is a whole number from 0 to ${portMax}; 0 takes a free one.`)
}

/** `auto` is 0, as in the option of the server. */
function parseWorkers(text: string): number {
  if (text === 'auto') return 0
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('That is a number of processes, 1 or more, or auto.')
}
