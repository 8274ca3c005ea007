import type { Cli } from '../cli.ts'
import { externalUrl } from '../database/open-database.ts'
import { findDev } from '../dev/dev-file.ts'
import { ensureKeys } from '../project/keys.ts'
import { loadProject } from '../project/load-project.ts'
import { keyVariables, renderEnv } from '../project/variables.ts'

/**
 * `pando status`: URLs and keys, of the running `pando dev` or as the next one will have them. The names in upper case
 * are those that scripts of existing projects read.
 */
export async function runStatus(cli: Cli, args: { output?: string }): Promise<void> {
  const project = await loadProject(cli)
  const dev = findDev(project.root)
  const apiUrl = dev?.apiUrl ?? `http://127.0.0.1:${cli.options.port ?? project.settings.apiPort}`
  const variables = {
    API_URL: apiUrl,
    REST_URL: `${apiUrl}/rest/v1`,
    AUTH_URL: `${apiUrl}/auth/v1`,
    JWKS_URL: `${apiUrl}/auth/v1/.well-known/jwks.json`,
    MAILBOX_URL: `${apiUrl}/mailbox`,
    DB_URL: dev?.databaseUrl ?? externalUrl(cli) ?? '',
    ...keyVariables(await ensureKeys(project, cli.now())),
  }
  if (args.output === 'env') return cli.terminal.print(renderEnv(variables))
  const running = dev?.apiUrl !== undefined
  const value = { running, pid: dev?.pid ?? null, project: project.root, kind: project.kind, ...variables }
  if (args.output === 'json') return cli.terminal.print(JSON.stringify(value, null, 2))
  cli.terminal.result(value, () => {
    const state = running
      ? `running since ${dev?.startedAt.slice(0, 19).replace('T', ' ')} UTC (pid ${dev?.pid})`
      : 'not running'
    const lines = Object.entries(variables)
      .filter(([, text]) => text !== '')
      .map(([name, text]) => `${name.padEnd(16)}  ${text}`)
    return [`${project.root}: ${state}`, ...lines].join('\n')
  })
}
