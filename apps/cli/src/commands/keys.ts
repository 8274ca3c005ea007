import type { ProjectKeys } from '@pando/http/auth/api-keys'

import type { Cli } from '../cli.ts'
import { findDev } from '../dev/dev-file.ts'
import { Failure } from '../failure.ts'
import { ensureKeys, rotateKeys } from '../project/keys.ts'
import { loadProject } from '../project/load-project.ts'
import { keyVariables } from '../project/variables.ts'
import { confirm } from '../terminal/confirm.ts'

/** `pando keys`: the project's keys; `--rotate` makes new ones. */
export async function runKeys(cli: Cli, args: { rotate?: boolean; yes?: boolean }): Promise<void> {
  const project = await loadProject(cli)
  if (args.rotate !== true) return printKeys(cli, await ensureKeys(project, cli.now()))
  if (project.kind === 'supabase') {
    throw new Failure(
      'project',
      'A supabase/ project has the well-known local keys, so that existing apps connect as they are.',
      {
        remedy: 'Set jwt_secret, publishable_key and secret_key under [auth] in config.toml to use keys of your own.',
      },
    )
  }
  await confirm(cli.terminal, 'Make new keys? Apps and sessions with the old ones stop working.', args)
  await rotateKeys(project.root, cli.now())
  if (findDev(project.root) !== undefined)
    cli.terminal.warn('`pando dev` keeps the old keys until it is started again.')
  printKeys(cli, await ensureKeys(project, cli.now()))
}

function printKeys(cli: Cli, keys: ProjectKeys): void {
  const variables = keyVariables(keys)
  cli.terminal.result(variables, () =>
    Object.entries(variables)
      .map(([name, value]) => `${name.padEnd(16)}  ${value}`)
      .join('\n'),
  )
}
