import type { Cli, GlobalOptions } from '../cli.ts'
import { openDatabase } from '../database/open-database.ts'
import type { DatabasePort } from '../database/open-database.ts'
import { isSeedDue } from '../database/seed-mark.ts'
import { prepareDatabase } from '../database/prepare-database.ts'
import { claimDev } from '../dev/dev-file.ts'
import type { DevClaim } from '../dev/dev-file.ts'
import { createFollower } from '../dev/follow-project.ts'
import type { Follower } from '../dev/follow-project.ts'
import { isPortFree, portInUse } from '../dev/port-holder.ts'
import { waitForStop } from '../dev/stop-signals.ts'
import { watchProject } from '../dev/watch-project.ts'
import { renderSummary } from '../dev/summary.ts'
import type { Ready } from '../dev/summary.ts'
import { Failure } from '../failure.ts'
import { ensureKeys } from '../project/keys.ts'
import { configMistakes, loadProject, shownPath } from '../project/load-project.ts'
import type { Project } from '../project/load-project.ts'
import { formatCount } from '../terminal/format.ts'
import { keyVariables } from '../project/variables.ts'

type DevOptions = GlobalOptions & { readonly dbPort?: number; readonly watch: boolean }

/** `pando dev`: everything in this process until Ctrl-C. */
export async function runDev(cli: Cli, options: DevOptions): Promise<void> {
  const startedAt = performance.now()
  const project = await loadProject(cli)
  const claim = mustClaim(cli, project)
  const undo: (() => Promise<void>)[] = [async () => claim.release()]
  const stopped = waitForStop(() => claim.release())
  try {
    const { ready, crashed } = await startEverything({ cli, project, options, claim, undo })
    announce(cli, { ...ready, readyMs: performance.now() - startedAt })
    const crash = await Promise.race(crashed === undefined ? [stopped] : [stopped, crashed])
    if (crash instanceof Error)
      throw new Failure('database', crash.message, {
        remedy: 'Start `pando dev` again; it recovers by itself.',
        cause: crash,
      })
    cli.terminal.say('Stopping …')
  } finally {
    // Last started, first stopped.
    for (const stop of undo.reverse()) await stop()
  }
  if (cli.terminal.json) cli.terminal.result({ event: 'stopped' }, () => '')
}

type Start = {
  readonly cli: Cli
  readonly project: Project
  readonly options: DevOptions
  readonly claim: DevClaim
  /** Grows by how to stop each thing that was started. */
  readonly undo: (() => Promise<void>)[]
}

type Started = {
  readonly ready: Omit<Ready, 'readyMs'>
  readonly crashed: Promise<Error> | undefined
}

/** Starts what does not depend on each other at the same time: the cluster, and reading the server's code. */
async function startEverything({ cli, project, options, claim, undo }: Start): Promise<Started> {
  const port = options.port ?? project.settings.apiPort
  await mustBeFree(port)
  let follower: Follower | undefined
  // Watched from the first moment: what is saved while the database starts is either read with the rest or noticed
  // here.
  const watching = options.watch ? watchProject(project, (change, file) => follower?.onChange(change, file)) : undefined
  const [database, { startProjectServer, runSeedScripts }, keys] = await allOrNone(
    lend(undo, openDatabase(cli, project, choosePort(project, options))),
    importServer(cli, project),
    ensureKeys(project, cli.now()),
    watching && lend(undo, watching),
  )
  const { seedIsDue } = await prepareDatabase(project, database)
  follower = createFollower({ cli, project, database, seedIsDue })
  undo.push(follower.stop)
  await follower.catchUp()
  const server = await startProjectServer({
    terminal: cli.terminal,
    project,
    keys,
    databaseUrl: database.adminUrl,
    publicDatabaseUrl: database.publicUrl,
    port,
    onCatalogue: options.watch ? (catalogue, schemas) => follower.onServed({ catalogue, schemas }) : undefined,
  })
  undo.push(() => server.stop())
  if (isSeedDue(project.root, 'seed-scripts') || (seedIsDue && !database.isEmbedded)) {
    const { publicUrl: databaseUrl } = database
    await follower.show(() =>
      runSeedScripts({ terminal: cli.terminal, project, keys, apiUrl: server.url, databaseUrl }),
    )
  }
  claim.publish({ apiUrl: server.url, databaseUrl: database.publicUrl, adminUrl: database.adminUrl })
  const ready = {
    version: cli.version,
    project: shownPath(cli, project.files),
    apiUrl: server.url,
    databaseUrl: database.publicUrl,
    keys,
  }
  return { ready, crashed: database.crashed }
}

/** Loaded while the database starts: together they are most of what there is to read. */
async function importServer(cli: Cli, project: Project) {
  const [{ startProjectServer }, { runSeedScripts }, { checkConfig, serverVariables }, unread] = await Promise.all([
    import('../server/start-project-server.ts'),
    import('../server/run-seed-scripts.ts'),
    import('../server/read-config.ts'),
    import('../server/unread-settings.ts'),
  ])
  checkConfig({ project: project.file.table, environment: serverVariables(project.environment) })
  const strangers = unread.listUnreadAuthSettings(project.file)
  if (project.kind === 'pando' && strangers.length > 0)
    throw configMistakes(shownPath(cli, project.configFile), unread.describeUnread(strangers))
  mentionIgnored(cli, project, project.file.ignored.length + strangers.length)
  return { startProjectServer, runSeedScripts }
}

/** Notes how to stop what has started. */
async function lend<T extends { close(): Promise<void> }>(undo: Start['undo'], starting: Promise<T>): Promise<T> {
  const started = await starting
  undo.push(() => started.close())
  return started
}

/** Waits until each has started or failed, so that after a failure everything else is known and can be stopped. */
async function allOrNone<T extends unknown[]>(...starting: T): Promise<{ [Index in keyof T]: Awaited<T[Index]> }> {
  await Promise.allSettled(starting)
  return await Promise.all(starting)
}

function choosePort({ settings, file }: Project, { dbPort }: DevOptions): DatabasePort {
  return { port: dbPort ?? settings.databasePort, isChosen: dbPort !== undefined || file.explicit.has('db.port') }
}

function announce(cli: Cli, ready: Ready): void {
  const { version, apiUrl, databaseUrl, keys, readyMs } = ready
  const value = {
    event: 'ready',
    version,
    readyMs: Math.round(readyMs),
    API_URL: apiUrl,
    DB_URL: databaseUrl,
    ...keyVariables(keys),
  }
  cli.terminal.result(value, () => renderSummary(cli.terminal, ready))
}

/** Files of existing projects say much that concerns other programs; which, only who asks wants to read. */
function mentionIgnored(cli: Cli, { configFile }: Project, count: number): void {
  if (count === 0) return
  cli.terminal.warn(
    `${shownPath(cli, configFile)}: ${formatCount(count, 'setting')} without effect here; \`pando doctor\` lists them.`,
  )
}

function mustClaim(cli: Cli, project: Project): DevClaim {
  const outcome = claimDev(project.root, cli.now())
  if ('claim' in outcome) return outcome.claim
  const { pid, startedAt, apiUrl } = outcome.holder
  const where = apiUrl === undefined ? '' : ` at ${apiUrl}`
  throw new Failure(
    'busy',
    `\`pando dev\` runs in this folder already: pid ${pid}, since ${startedAt.slice(0, 19).replace('T', ' ')} UTC${where}.`,
    {
      remedy: `Use that one (\`pando status\`), or stop it with: kill ${pid}`,
      facts: { pid, apiUrl },
    },
  )
}

async function mustBeFree(port: number): Promise<void> {
  if (await isPortFree(port, '127.0.0.1')) return
  throw await portInUse(port, '--port')
}
