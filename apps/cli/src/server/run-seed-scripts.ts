import { spawn } from 'node:child_process'
import { resolve } from 'node:path'

import type { ProjectKeys } from '@pando/http/auth/api-keys'

import type { Cli } from '../cli.ts'
import { clearSeedDue, markSeedDue } from '../database/seed-mark.ts'
import { findDev } from '../dev/dev-file.ts'
import { Failure } from '../failure.ts'
import { ensureKeys } from '../project/keys.ts'
import type { Project } from '../project/load-project.ts'
import { keyVariables } from '../project/variables.ts'
import type { Terminal } from '../terminal/terminal.ts'

export type SeedScripts = {
  readonly terminal: Terminal
  readonly project: Project
  readonly keys: ProjectKeys
  readonly apiUrl: string
  readonly databaseUrl: string
}

/**
 * Runs the project's seed scripts one after the other, each as a process of this Node, with the addresses and keys in
 * its environment. Rejects with a `Failure` that names the script; then it is due again at the next start.
 */
export async function runSeedScripts(seed: SeedScripts): Promise<void> {
  const { project, terminal } = seed
  for (const path of project.settings.seedScripts) {
    const startedAt = performance.now()
    terminal.say(`Running ${path} …`)
    const code = await runScript(seed, resolve(project.files, path))
    if (code !== 0) {
      throw new Failure('project', `The seed script ${path} ended with ${code}.`, {
        remedy: 'Its output above says why; it runs again at the next `pando dev`.',
        facts: { script: path, code },
      })
    }
    terminal.done(`${path} ran`, performance.now() - startedAt)
  }
  clearSeedDue(project.root, 'seed-scripts')
}

/**
 * For commands beside the server: runs the scripts if `pando dev` runs here, and leaves them to its next start if not.
 */
export async function seedThroughApi(cli: Cli, project: Project): Promise<void> {
  const { terminal } = cli
  if (project.settings.seedScripts.length === 0) return
  markSeedDue(project.root, 'seed-scripts')
  const { apiUrl, databaseUrl } = findDev(project.root) ?? {}
  if (apiUrl === undefined || databaseUrl === undefined) {
    terminal.warn(
      `${project.settings.seedScripts.join(', ')} will run at the next \`pando dev\`: seed scripts call the API.`,
    )
    return
  }
  await runSeedScripts({ terminal, project, keys: await ensureKeys(project, cli.now()), apiUrl, databaseUrl })
}

/** The script's own output is for people: it goes to standard error, which `--json` leaves alone. */
function runScript({ terminal, project, keys, apiUrl, databaseUrl }: SeedScripts, file: string): Promise<number> {
  const env = { ...project.environment, API_URL: apiUrl, DB_URL: databaseUrl, ...keyVariables(keys) }
  const output = terminal.json ? 'ignore' : 2
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [file], { cwd: project.root, env, stdio: ['ignore', output, 2] })
    child.once('error', fail)
    child.once('close', (code, signal) => done(code ?? (signal === null ? 1 : 128)))
  })
}
