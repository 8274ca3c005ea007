import type { Cli } from '../cli.ts'
import { applyMigrations } from '../database/apply-migrations.ts'
import { loadSeed } from '../database/load-seed.ts'
import type { Database } from '../database/open-database.ts'
import { rewriteTypes } from '../database/write-types.ts'
import type { Served } from '../database/write-types.ts'
import { Failure } from '../failure.ts'
import { shownPath } from '../project/load-project.ts'
import type { Project } from '../project/load-project.ts'
import { createSerial } from './serial.ts'
import type { Change } from './watch-project.ts'

type FollowerDeps = {
  readonly cli: Cli
  readonly project: Project
  readonly database: Database
  readonly seedIsDue: boolean
}

/** Keeps the database, and what is made from it, as the project folder says. One thing happens at a time. */
export type Follower = {
  /**
   * Applies what is new and loads the seed into a new database. What the user's SQL does wrong is shown, not thrown.
   */
  catchUp(): Promise<void>
  /** Writes the types file anew when the API is about to serve something else. */
  onServed(served: Served): void
  onChange(change: Change, file: string): void
  /** Does something for the user whose failure is shown and does not end the session. */
  show(work: () => Promise<void>): Promise<void>
  /** Waits for what runs. */
  stop(): Promise<void>
}

export function createFollower({ cli, project, database, ...deps }: FollowerDeps): Follower {
  const due = { migrations: false, seed: deps.seedIsDue }
  let served: Served | undefined

  async function migrate(): Promise<void> {
    due.migrations = false
    const applied = await applyMigrations(cli.terminal, project, database)
    if (applied.length > 0) report(cli, 'migrated', { applied })
    if (due.seed) await loadSeed(cli.terminal, project, database)
    // A seed that failed left nothing behind, and is due again with the next saved file.
    due.seed = false
  }

  async function writeTypes(to: Served): Promise<void> {
    served = undefined
    const file = await rewriteTypes(cli, project, async () => to)
    if (file !== undefined) report(cli, 'types', { file })
  }

  const serial = createSerial(async () => {
    if (due.migrations) await showingFailures(cli, migrate)
    const latest = served
    if (latest !== undefined) await showingFailures(cli, () => writeTypes(latest))
  })

  function catchUp(): Promise<void> {
    due.migrations = true
    serial.request()
    return serial.idle()
  }

  return {
    catchUp,
    onServed: (latest) => {
      served = latest
      // Not at once: first it shall serve.
      setImmediate(serial.request)
    },
    onChange: (change, file) => {
      if (change === 'migrations' || (change === 'seed' && due.seed)) return void catchUp()
      report(cli, `${change}_changed`, { file })
      cli.terminal.warn(`${shownPath(cli, file)} changed. ${advice[change]}`)
    },
    show: (work) => showingFailures(cli, work),
    stop: () => serial.idle(),
  }
}

const advice = {
  seed: 'To load it: `pando migrate reset` for a database made anew, `pando seed` into the one there is.',
  config: 'It is read at the next start of `pando dev`.',
} as const

/**
 * Nothing ends a session in which the user works: a failure is shown, a fault of ours too, and the next save tries
 * again.
 */
async function showingFailures(cli: Cli, use: () => Promise<void>): Promise<void> {
  try {
    await use()
  } catch (error) {
    const { reason, message, remedy, facts } = toFailure(error)
    if (cli.terminal.json) return report(cli, 'failed', { reason, message, remedy, ...facts })
    cli.terminal.fail(message)
    if (remedy !== undefined) cli.terminal.warn(remedy)
  }
}

const toFailure = (error: unknown): Failure =>
  error instanceof Failure
    ? error
    : new Failure('fault', error instanceof Error ? (error.stack ?? error.message) : String(error))

/** One line of `--json`; people were told in words. */
function report(cli: Cli, event: string, facts: Record<string, unknown>): void {
  if (cli.terminal.json) cli.terminal.result({ event, ...facts }, () => '')
}
