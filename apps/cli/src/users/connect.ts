import type { Cli } from '../cli.ts'
import { findDev } from '../dev/dev-file.ts'
import { Failure } from '../failure.ts'
import { ensureKeys } from '../project/keys.ts'
import { loadProject } from '../project/load-project.ts'
import { createAdminApi } from './admin-api.ts'
import type { AdminApi } from './admin-api.ts'

/** Which API: the one that `pando dev` runs here, or any by its address and a key. */
export type ApiOptions = { readonly url?: string; readonly key?: string }

/**
 * The secret key comes from the environment sooner than from the command line, where other users of the machine see it.
 */
export async function connectToApi(cli: Cli, options: ApiOptions): Promise<AdminApi> {
  const { SECRET_KEY: secretKey, SERVICE_ROLE_KEY: serviceRoleKey } = cli.environment
  if (options.url === undefined) return createAdminApi(await findRunning(cli, options.key))
  const key = options.key ?? secretKey ?? serviceRoleKey
  if (key === undefined || key === '') {
    throw new Failure('usage', 'There is no key for this API.', {
      remedy: 'Set SECRET_KEY in the environment (`pando keys` prints it), or use --key.',
    })
  }
  return createAdminApi({ url: toOrigin(options.url), key })
}

async function findRunning(cli: Cli, key: string | undefined): Promise<{ url: string; key: string }> {
  const project = await loadProject(cli)
  const url = findDev(project.root)?.apiUrl
  if (url === undefined) {
    throw new Failure('api', `\`pando dev\` does not run in ${project.root}.`, {
      remedy: 'Start it, or name a running API: --url https://api.example.com, with SECRET_KEY in the environment.',
    })
  }
  return { url, key: key ?? (await ensureKeys(project, cli.now())).secretKey }
}

function toOrigin(text: string): string {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Failure('usage', `--url ${JSON.stringify(text)} is not an address like https://api.example.com.`)
  return url.href.replace(/\/+$/, '')
}
