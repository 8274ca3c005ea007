import type { RealtimeChannel } from '@supabase/supabase-js'
import { demoKeys } from '@pando/http/auth/api-keys'
import { startEmbeddedPostgres } from '@pando/postgres/embedded/start'
import { loginUrl, setPassword } from '@pando/postgres/login'
import { ensureConventions, listConventionFolders } from '@pando/postgres/migrations/conventions'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ClientPlan, type ClientReport, type Crowd, startCrowd } from './testing/crowd.ts'
import { mustHaveAll } from './testing/follower.ts'
import { connectRealtime, join } from './testing/realtime-client.ts'
import { type StartedNode, startNode } from './testing/start-node.ts'

/** As long as it takes to be sure; how many clients and how often each fault may be said on its own. */
const isLong = process.env['PANDO_TEST_LONG'] === '1'
const clientsMax = Number(process.env['PANDO_TEST_CLIENTS'] ?? (isLong ? 2_000 : 100))
const rounds = Number(process.env['PANDO_TEST_ROUNDS'] ?? (isLong ? 5 : 1))
const clientsPerRoom = 50
const clientsPerProcess = 1_000
const writesPerSecond = isLong ? 50 : 100
const password = 'open'
const logins = [
  'authenticator',
  'postgres',
  'supabase_auth_admin',
  'supabase_realtime_admin',
  'supabase_replication_admin',
]

/** Each row is told with a message. Rows of `guarded` are told to whom a policy lets see them that only Postgres decides. */
const schema = `
  create function public.tell_number() returns trigger language plpgsql security definer set search_path = '' as $$
  begin
    perform realtime.send(jsonb_build_object('number', new.id), 'number', 'room ' || new.room, false);
    return null;
  end $$;
  create sequence public.ids;
  create table public.open (id bigint primary key default nextval('public.ids'), writer int, room int, n int);
  create table public.guarded (like public.open including all);
  create table public.rooms (room int primary key);
  insert into public.rooms select generate_series(0, 1000);
  alter table public.guarded enable row level security;
  create policy "rooms are seen" on public.guarded for select
    using (exists (select from public.rooms r where r.room = guarded.room));
  create policy "everybody writes" on public.guarded for insert with check (true);
  create trigger tell after insert on public.open for each row execute function public.tell_number();
  create trigger tell after insert on public.guarded for each row execute function public.tell_number();
  grant select, insert on public.open, public.guarded to anon;
  grant select on public.rooms to anon;
  grant usage on public.ids to anon;
  alter publication supabase_realtime add table public.open, public.guarded`

let folder: string
let postgres: Awaited<ReturnType<typeof startEmbeddedPostgres>>
let keys: Awaited<ReturnType<typeof demoKeys>>
let node: StartedNode
let crowd: Crowd | undefined

const settings = { track_commit_timestamp: 'on' }
const startPostgres = () => startEmbeddedPostgres({ dataFolder: path.join(folder, 'data'), durable: false, settings })

beforeAll(async () => {
  folder = await makeTemporaryFolder('pando-losses-')
  keys = await demoKeys()
  postgres = await startPostgres()
  await ensureConventions({
    url: postgres.url,
    folders: await listConventionFolders(path.join(import.meta.dirname, '../../../services')),
  })
  await asAdmin(async (admin) => {
    for (const role of logins) await setPassword(admin, role, password)
    await admin.query(schema)
  })
  node = await startRealtime()
}, 180_000)

afterAll(async () => {
  crowd?.kill()
  await node?.kill()
  await postgres?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function asAdmin<T>(use: (admin: Client) => Promise<T>): Promise<T> {
  const admin = new Client({ connectionString: postgres.url })
  await admin.connect()
  try {
    return await use(admin)
  } finally {
    await admin.end()
  }
}

const startRealtime = (): Promise<StartedNode> =>
  startNode({
    DATABASE_URL: loginUrl(postgres.url, { role: 'postgres', password }),
    PANDO_JWT_SECRET: keys.jwtSecret,
    PANDO_SERVER_SERVICES: 'rest,realtime',
    // On a machine that is busy with other things it may take longer until all are back.
    PANDO_CHANGES_WINDOW: '30m',
    PANDO_CHANGES_WINDOW_BYTES: '256mb',
    PANDO_CHANGES_STANDBY_PAUSE: '50ms',
    PANDO_CHANGES_RETRY_PAUSE_MAX: '200ms',
  })

/** Half of a room follows its rows, half the messages. */
const plans: readonly ClientPlan[] = Array.from({ length: clientsMax }, (_, writer) => {
  const room = Math.floor(writer / clientsPerRoom)
  const writesTo = room % 2 === 0 ? 'open' : 'guarded'
  return { writer, room, writesTo, hears: writer % 2 === 0 ? writesTo : 'messages' }
})

const faults: Record<string, () => Promise<unknown>> = {
  'kill -9 of the node': async () => {
    await node.kill()
    node = await startRealtime()
    await crowd!.move(node.url)
  },
  'the end of the connection that reads the log': () =>
    asAdmin((admin) =>
      admin.query("select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'walsender'"),
    ),
  'kill -9 of the process that sends the log': async () => {
    const { rows } = await asAdmin((admin) =>
      admin.query<{ pid: number }>("select pid from pg_stat_activity where backend_type = 'walsender'"),
    )
    // All processes of Postgres end with it, and it recovers by itself.
    process.kill(rows[0]!.pid, 'SIGKILL')
  },
  'kill -9 of Postgres': async () => {
    process.kill(postgres.pid, 'SIGKILL')
    await postgres.crashed
    await postgres.stop()
    postgres = await startPostgres()
  },
  'a restart of Postgres': async () => {
    await postgres.stop()
    postgres = await startPostgres()
  },
}

type Written = { readonly id: number; readonly writer: number; readonly room: number }

/**
 * In commit order by writer, as the tables have them: a number of a write without an answer may be there or not, and after
 * the next one.
 */
const readWritten = (): Promise<Written[]> =>
  asAdmin(async (admin) => {
    const { rows } = await admin.query<Written>(
      `select id::int, writer, room
       from (select xmin, * from public.open union all select xmin, * from public.guarded) as all_of_them
       order by writer, pg_xact_commit_timestamp(xmin)`,
    )
    return rows
  })

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** Two cores that others use as well. */
const patiently = { timeout: isLong ? 600_000 : 60_000, interval: 100 }

/** How many numbers each room has, once Postgres answers, and `more` on top. */
async function countRooms(more: number): Promise<Record<number, number>> {
  let written: Written[] = []
  const read = async (): Promise<boolean> => {
    written = await readWritten()
    return true
  }
  await expect.poll(() => read().catch(() => false), patiently).toBe(true)
  const counts: Record<number, number> = Object.fromEntries(plans.map(({ room }) => [room, more]))
  for (const { room } of written) counts[room]! += 1
  return counts
}

test(
  `${clientsMax} clients that write and follow, ${rounds} times each fault: nothing is lost, doubled or out of order`,
  { timeout: isLong ? 3_600_000 : 300_000 },
  async () => {
    const writePauseMs = (1_000 * clientsMax) / writesPerSecond
    const processes = Math.ceil(clientsMax / clientsPerProcess)
    crowd = await startCrowd(processes, { plans, url: node.url, apikey: keys.anonKey, writePauseMs })
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, strike] of Object.entries(faults)) {
        const startMs = performance.now()
        await strike()
        // Everybody is back, and a while goes by.
        const counts = await countRooms(3)
        await expect.poll(() => crowd!.countBehind(counts), patiently).toBe(0)
        if (isLong) say(`${name}: everybody is back after ${(performance.now() - startMs).toFixed(0)} ms`)
      }
    }
    await crowd.silence()
    const counts = await countRooms(0)
    await expect.poll(() => crowd!.countBehind(counts), patiently).toBe(0)
    const reports = await crowd.leave()
    const written = await readWritten()
    if (isLong) say(describe(reports, written))
    for (const room of Object.keys(counts).map(Number)) {
      const own = reports.filter((report) => report.room === room)
      mustHaveAll(own, truthOf(room, written))
      mustCatchPlanted(own[0]!.got, truthOf(room, written))
    }
    expect(reports.flatMap(({ again }) => again)).toEqual([])
    expect(reports.flatMap(({ resyncs }) => resyncs)).toEqual([])
    expect(Math.min(...reports.map(({ connections }) => connections))).toBeGreaterThan(rounds)
  },
)

test('who joins while Postgres is away follows when it is back, and who wants to wait for that is told to try again', async () => {
  await postgres.stop()
  const client = connectRealtime({ url: node.url, keys })
  const told: string[] = []
  const follow = (name: string, config: object): RealtimeChannel =>
    client
      .channel(name, { config })
      .on('postgres_changes', { event: 'INSERT', schema: 'public', table: 'open' }, ({ new: row }) =>
        told.push(`${name} ${row['id']}`),
      )
      .on('system', {}, ({ message }) => told.push(`${name}: ${message}`))
  await join(follow('patient', {}))
  const waits = follow('waits', { postgres_changes_options: { wait: true, timeout: 100 } })
  await expect(join(waits)).rejects.toThrow('PostgresChangesSubscribeTimeout')
  postgres = await startPostgres()
  // The SDK asks again, later each time.
  await expect.poll(() => told.toSorted(), patiently).toEqual(bothTold('Subscribed to PostgreSQL', ':'))
  told.length = 0
  await asAdmin((admin) => admin.query('insert into public.open (id) values (-7)'))
  await expect.poll(() => told.toSorted(), patiently).toEqual(bothTold('-7'))
  await client.removeAllChannels()
})

const bothTold = (what: string, mark = ''): string[] => ['patient', 'waits'].map((name) => `${name}${mark} ${what}`)

/** Ids of a room by writer. */
function truthOf(room: number, written: readonly Written[]): Map<number, number[]> {
  const truth = new Map<number, number[]>()
  for (const { id, writer } of written.filter((each) => each.room === room))
    truth.set(writer, [...(truth.get(writer) ?? []), id])
  return truth
}

function describe(reports: readonly ClientReport[], written: readonly Written[]): string {
  const sum = (count: (report: ClientReport) => number): number =>
    reports.reduce((total, report) => total + count(report), 0)
  const told = sum(({ got }) => got.length)
  const [again, resyncs] = [sum((report) => report.again.length), sum((report) => report.resyncs.length)]
  return (
    `${reports.length} clients wrote ${written.length} numbers and were told ${told}: ` +
    `${again} a second time, ${resyncs} times to fetch again, over ${sum(({ connections }) => connections)} connections`
  )
}

/** What looks for losses finds those that are there. */
function mustCatchPlanted(got: readonly number[], truth: ReadonlyMap<number, readonly number[]>): void {
  const plant = (change: (own: readonly number[]) => number[]) => () =>
    mustHaveAll([{ got }, { got: change(got) }], truth)
  expect(plant((own) => own.toSpliced(3, 1))).toThrow(/^missing: \d+$/)
  expect(plant((own) => own.toSpliced(3, 0, own[1]!))).toThrow('1 came twice')
  expect(plant((own) => own.toSpliced(3, 2, own[4]!, own[3]!))).toThrow('not in the order of others')
  expect(plant((own) => own.toSpliced(3, 0, -1))).toThrow('1 came that were never committed')
}
