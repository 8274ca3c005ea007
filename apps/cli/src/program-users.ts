import { type Command, InvalidArgumentError } from 'commander'

import type { GlobalOptions } from './cli.ts'
import { command, examples } from './program-command.ts'
import type { ApiOptions } from './users/connect.ts'

type Common = GlobalOptions & ApiOptions
type OneUser = Common & { who: string }

/** The commands below `pando users`. */
export type UsersInvocation =
  | { readonly command: 'users list'; readonly args: Common & { filter?: string; page: number; limit: number } }
  | { readonly command: 'users invite'; readonly args: Common & { emails: string[]; redirectTo?: string } }
  | { readonly command: 'users ban'; readonly args: OneUser & { duration: string } }
  | { readonly command: 'users unban' | 'users sign-out'; readonly args: OneUser }
  | { readonly command: 'users make-admin'; readonly args: OneUser & { role: string; revoke?: boolean } }
  | { readonly command: 'users import'; readonly args: ImportArguments }

type ImportArguments = Common & {
  file: string
  confirmed?: boolean
  firebaseSignerKey?: string
  firebaseSaltSeparator: string
  firebaseRounds: number
  firebaseMemory: number
}

type Run = (invocation: UsersInvocation) => Promise<void>

const whoText = 'an id, an e-mail address or a phone number'

export function addUserCommands(program: Command, run: Run): void {
  const users = program
    .command('users')
    .description('list, invite, ban, sign out and import the users of a running API')
  users.addHelpText(
    'after',
    examples([
      'pando users list --filter ada',
      'pando users make-admin ada@example.com',
      'SECRET_KEY=sb_secret_… pando users list --url https://api.example.com',
    ]),
  )
  addReadingCommands(users, run)
  addChangingCommands(users, run)
  addImportCommand(users, run)
}

function addReadingCommands(users: Command, run: Run): void {
  onApi(users, 'list', 'list users, the newest first', [
    'pando users list --filter @example.com',
    'pando users list --json',
  ])
    .option('--filter <text>', 'only those with this in their address, number or name')
    .option('--limit <number>', 'how many, up to 1000', parseCount, 50)
    .option('--page <number>', 'which page of that many', parseCount, 1)
    .action((_, self: Command) => run({ command: 'users list', args: self.optsWithGlobals() }))
  onApi(users, 'invite', 'send mails with a link that makes an account', ['pando users invite ada@example.com'])
    .argument('<emails...>', 'addresses')
    .option('--redirect-to <url>', 'where the link leads in the end (default: [auth] site_url)')
    .action((emails: string[], _, self: Command) =>
      run({ command: 'users invite', args: { ...self.optsWithGlobals<Common>(), emails } }),
    )
}

function addChangingCommands(users: Command, run: Run): void {
  const withUser = (self: Command, who: string) => ({ ...self.optsWithGlobals(), who })
  onApi(users, 'ban', 'sign somebody out everywhere and keep them out', ['pando users ban ada@example.com --for 24h'])
    .argument('<user>', whoText)
    .option('--for <duration>', 'how long, like 90m or 24h (default: for good)')
    .action((who: string, _, self: Command) => {
      const { for: duration = '876000h', ...args } = self.optsWithGlobals<Common & { for?: string }>()
      return run({ command: 'users ban', args: { ...args, who, duration } })
    })
  onApi(users, 'unban', 'let somebody in again', ['pando users unban ada@example.com'])
    .argument('<user>', whoText)
    .action((who: string, _, self: Command) => run({ command: 'users unban', args: withUser(self, who) }))
  onApi(users, 'sign-out', 'end all sessions of somebody', ['pando users sign-out ada@example.com'])
    .argument('<user>', whoText)
    .action((who: string, _, self: Command) => run({ command: 'users sign-out', args: withUser(self, who) }))
  onApi(users, 'make-admin', "give somebody a role that the project's policies may ask for", [
    'pando users make-admin ada@example.com',
    'pando users make-admin ada@example.com --role moderator',
    'pando users make-admin ada@example.com --revoke',
  ])
    .argument('<user>', whoText)
    .option('--role <name>', 'written to app_metadata.role, which is in their tokens', 'admin')
    .option('--revoke', 'take the role away')
    .action((who: string, _, self: Command) => {
      const args = self.optsWithGlobals<Common & { role: string; revoke?: boolean }>()
      return run({ command: 'users make-admin', args: { ...args, who } })
    })
}

function addImportCommand(users: Command, run: Run): void {
  onApi(users, 'import', 'create users with the password hashes they have elsewhere', [
    'pando users import users.csv --confirmed',
    'pando users import firebase.json --firebase-signer-key "$KEY"',
  ])
    .argument('<file>', 'CSV with a heading, a JSON array, or a JSON object a line')
    .option('--confirmed', 'addresses count as confirmed where the file does not say')
    .option('--firebase-signer-key <base64>', 'base64_signer_key of the Firebase project')
    .option('--firebase-salt-separator <base64>', 'base64_salt_separator', 'Bw==')
    .option('--firebase-rounds <number>', 'rounds', parseCount, 8)
    .option('--firebase-memory <number>', 'mem_cost', parseCount, 14)
    .action((file: string, _, self: Command) =>
      run({ command: 'users import', args: { ...self.optsWithGlobals<Omit<ImportArguments, 'file'>>(), file } }),
    )
}

function onApi(users: Command, name: string, description: string, lines: readonly string[]): Command {
  return command(users, name, description, lines)
    .option('--url <address>', 'a running API (default: the one of `pando dev` here)')
    .option(
      '--key <key>',
      'its secret key (default: the one of the project; with --url, SECRET_KEY of the environment)',
    )
}

function parseCount(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a whole number from 1.')
}
