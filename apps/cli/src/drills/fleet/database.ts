import type { TestServer } from '@pando/postgres/testing/replicated-cluster'
import { startReplicatedCluster } from '@pando/postgres/testing/replicated-cluster'
import { Client } from 'pg'

import { toNamedDatabase } from '../../database/open-database.ts'
import { installConventions } from '../../database/prepare-database.ts'
import type { Written } from '../losses.ts'

/** The PostgreSQL of a drill: a primary, and a replica where the drill wants one. */
export type DrillDatabase = {
  /** As it was at the start. */
  readonly primary: TestServer
  readonly replica: TestServer | undefined
  /** The one that is the primary now. */
  current(): TestServer
  /** Another is, from now on. */
  moveTo(server: TestServer): void
  /** Each call of `drill_work` takes so long from now on. */
  setPace(seconds: number): Promise<void>
  /** It stands still, as with a disk that hangs, until the returned function is called. */
  freeze(): Promise<() => void>
  remove(): Promise<void>
}

/** What is written has an id in the order of the writes, is told to followers, and may be done twice without an error. */
const schema = `
  create table public.drill_notes (id bigint generated always as identity primary key, ref text not null);
  create table public.drill_pace (seconds float8 not null);
  insert into public.drill_pace values (0);
  create function public.drill_work() returns int language sql stable
    as $$select 1 from public.drill_pace, pg_sleep(seconds)$$;
  grant select, insert on public.drill_notes to anon, authenticated, service_role;
  grant select on public.drill_pace to anon, authenticated, service_role;
  alter publication supabase_realtime add table public.drill_notes`

/** At this pace little can be done, so that one process can ask for all of it and for ten times as much. */
export const workSeconds = 0.25
/** Twice what the connections of a node for slow reads can do at once. */
export const callersPerNode = 16

/** More than the nodes of a drill ever want together. */
const settings = { max_connections: 300 }

export async function startDrillDatabase(options: { readonly hasReplica: boolean }): Promise<DrillDatabase> {
  const cluster = await startReplicatedCluster({
    replicas: options.hasReplica ? 1 : 0,
    prepare: async (url) => void (await installConventions(toNamedDatabase(url), { autoExposeNewTables: false })),
    sql: schema,
    settings,
  })
  const { primary, replicas } = cluster
  let current = primary
  let thaw: () => void = () => undefined
  return {
    primary,
    replica: replicas[0],
    current: () => current,
    moveTo: (server) => void (current = server),
    setPace: async (seconds) => void (await current.query(`update public.drill_pace set seconds = ${seconds}`)),
    async freeze() {
      const client = new Client({ connectionString: current.url })
      const pids = await stopAll(client)
      thaw = () => {
        thaw = () => undefined
        signalAll(pids, 'SIGCONT')
        void client.end()
      }
      return () => thaw()
    },
    async remove() {
      thaw()
      await cluster.remove()
    },
  }
}

/** The rows after `afterId`, in the order of their ids. */
export async function listWritten(server: TestServer, afterId: number): Promise<Written[]> {
  const rows = await server.query(`select id::int, ref from public.drill_notes where id > ${afterId} order by id`)
  return rows as Written[]
}

/** The last one. */
export async function lastId(server: TestServer): Promise<number> {
  const [row] = await server.query('select coalesce(max(id), 0)::int as id from public.drill_notes')
  return Number(row!['id'])
}

/** Stops every process of a server where it is; gives their numbers. */
async function stopAll(client: Client): Promise<number[]> {
  await client.connect()
  const { rows: files } = await client.query<{ text: string }>("select pg_read_file('postmaster.pid') as text")
  const postmaster = Number.parseInt(files[0]!.text, 10)
  // First the one that starts others.
  process.kill(postmaster, 'SIGSTOP')
  const { rows } = await client.query<{ pid: number }>('select pid from pg_stat_activity where pid is not null')
  const pids = [postmaster, ...rows.map(({ pid }) => pid)]
  signalAll(pids, 'SIGSTOP')
  return pids
}

/** One may have ended meanwhile. */
function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}
