import type { Cli } from '../cli.ts'
import { findDev } from '../dev/dev-file.ts'
import { Failure } from '../failure.ts'
import { rotateKeys } from '../project/keys.ts'
import { loadProject } from '../project/load-project.ts'
import type { Project } from '../project/load-project.ts'
import { hasOwnPairs, replaceSigningKeys, rotateSigningKeys } from '../project/signing-keys.ts'
import { readConfig, serverVariables } from '../server/read-config.ts'
import { confirm } from '../terminal/confirm.ts'
import { printKeys } from './keys.ts'

/**
 * `pando keys rotate`: another key signs tokens, and nobody is signed out. With `all` every key and secret is new, and
 * nothing that the old ones opened, signed or sealed is good any more.
 */
export async function runKeysRotate(cli: Cli, args: { all?: boolean; yes?: boolean }): Promise<void> {
  const project = await loadProject(cli)
  if (args.all === true) await replaceAll(cli, project, args)
  else rotate(cli, project)
  await printKeys(cli, project)
}

function rotate(cli: Cli, project: Project): void {
  if (!hasOwnPairs(project)) throw notOurs(project)
  // The secret stands for those that `ensureKeys` would read; only how long tokens are good is of interest.
  const environment = { ...serverVariables(project.environment), PANDO_JWT_SECRET: '-'.repeat(64) }
  const { jwtExpiry } = readConfig({ project: project.file.table, environment }).auth
  rotateSigningKeys(project, { now: cli.now(), tokenLifeMs: jwtExpiry })
}

async function replaceAll(cli: Cli, project: Project, args: { yes?: boolean }): Promise<void> {
  if (project.kind === 'supabase') {
    throw new Failure(
      'project',
      'A supabase/ project has the well-known local keys, so that existing apps connect as they are.',
      {
        remedy: 'Set jwt_secret, publishable_key and secret_key under [auth] in config.toml to use keys of your own.',
      },
    )
  }
  await confirm(
    cli.terminal,
    'Make all keys anew? Apps, sessions and second factors of the old ones stop working.',
    args,
  )
  await rotateKeys(project.root, cli.now())
  replaceSigningKeys(project.root)
  if (findDev(project.root) !== undefined)
    cli.terminal.warn('`pando dev` keeps the old API keys until it is started again.')
}

function notOurs({ kind }: Project): Failure {
  return new Failure(
    'project',
    kind === 'supabase'
      ? 'Tokens of this supabase/ project are signed with its JWT secret, or with keys that you gave it.'
      : 'Tokens are signed with a secret or with keys that you gave in config.toml or the environment.',
    {
      remedy:
        'Put a new key (`pando keys new`) in front of the array in the file of [auth] signing_keys_path, or of ' +
        'PANDO_JWT_SIGNING_KEYS, and leave the old one behind it until its tokens have expired.',
    },
  )
}
