import { createDatabase, type Database } from '@pando/postgres/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPhoenix, type Phoenix } from './testing/phoenix.ts'
import { type Api, startApi } from './testing/start-api.ts'

const isLong = process.env['PANDO_TEST_LONG'] === '1'
const rounds = isLong ? 50 : 1
const ann = crypto.randomUUID()

const schema = `
  create table public.members (room int, person uuid);
  grant select on public.members to authenticated;
  create table public.papers (id bigint primary key, owner uuid, room int, text text);
  alter table public.papers enable row level security;
  grant select on public.papers to authenticated;
  create schema gate;
  grant usage on schema gate to authenticated;
  create table gate.fences (id bigint primary key);
  grant select on gate.fences to authenticated;
  alter publication supabase_realtime add table public.papers, gate.fences;
`

/** How Ann may read papers, and how she may not any more. */
const ways: Record<string, readonly [grant: string, revoke: string]> = {
  'a policy that is dropped': [
    'create policy "p" on public.papers for select to authenticated using (owner = auth.uid())',
    'drop policy "p" on public.papers',
  ],
  'a policy that says something else': [
    'create policy "p" on public.papers for select to authenticated using (owner = auth.uid())',
    'alter policy "p" on public.papers using (false)',
  ],
  'a policy that restricts as well': [
    'create policy "p" on public.papers for select to authenticated using (true)',
    'create policy "q" on public.papers as restrictive for select to authenticated using (owner <> auth.uid())',
  ],
  'the right to select': [
    'create policy "p" on public.papers for select to authenticated using (true); grant select on public.papers to authenticated',
    'revoke select on public.papers from authenticated',
  ],
  'the use of the schema': [
    'create policy "p" on public.papers for select using (true)',
    'revoke usage on schema public from authenticated, public',
  ],
  'row security that is turned on': [
    'alter table public.papers disable row level security',
    'alter table public.papers enable row level security',
  ],
  'a row that a policy reads': [
    `create policy "p" on public.papers for select to authenticated using (room in (select room from public.members where person = auth.uid()));
     insert into public.members values (1, '${ann}')`,
    'delete from public.members',
  ],
  'a function that a policy calls': [
    `create or replace function public.may_read() returns boolean language sql stable as 'select true';
     create policy "p" on public.papers for select to authenticated using (public.may_read())`,
    `create or replace function public.may_read() returns boolean language sql stable as 'select false'`,
  ],
}

const undo = `
  drop policy if exists "p" on public.papers;
  drop policy if exists "q" on public.papers;
  alter table public.papers enable row level security;
  revoke all on public.papers from authenticated;
  grant select on public.papers to authenticated;
  grant usage on schema public to authenticated, public;
  delete from public.members;
  delete from public.papers;
`

let api: Api
let writer: Database
let listener: Phoenix
let id = 0

beforeAll(async () => {
  // The listener says nothing, however long it takes.
  api = await startApi({ sql: schema, environment: { PANDO_REALTIME_HEARTBEAT_TIMEOUT: '1h' } })
  writer = createDatabase({ url: api.database.url, applicationName: 'writer', connectionsMax: 1 })
  listener = await openPhoenix(api.url, { apikey: api.keys.anonKey })
  const postgres_changes = [
    { event: 'INSERT', schema: 'public', table: 'papers' },
    { event: 'INSERT', schema: 'gate', table: 'fences' },
  ]
  await listener.join('papers', { postgres_changes }, await api.sign({ sub: ann }))
  await listener.until(({ event, payload }) => event === 'system' && payload['extension'] === 'postgres_changes')
})

afterAll(async () => {
  listener?.close()
  await writer?.close()
  await api?.stop()
})

const insertPaper = (paper: number): string => `insert into public.papers values (${paper}, '${ann}', 1, 'paper')`

/** Stops the process of Postgres that tells this node of notices; what is in the log is read all the same. */
async function holdNotices(): Promise<{ letGo(): void }> {
  const [listening] = await writer.query<{ pid: number }>(
    "select pid from pg_stat_activity where application_name = 'pando realtime notices' and datname = current_database()",
  )
  const { pid } = listening!
  process.kill(pid, 'SIGSTOP')
  return { letGo: () => process.kill(pid, 'SIGCONT') }
}

type Data = { readonly table: string; readonly record: { readonly id?: number }; readonly errors: unknown }

const dataOf = ({ payload }: Phoenix['heard'][number]): Data | undefined => payload['data'] as Data | undefined

/** Waits until everything before now was told, or is not told. */
async function pass(): Promise<void> {
  const fence = (id += 1)
  await writer.query('insert into gate.fences values ($1)', [fence])
  await listener.until((said) => dataOf(said)?.table === 'fences' && dataOf(said)?.record.id === fence)
}

test.each(Object.entries(ways))(
  `nothing that is committed after its end is told by %s, ${rounds} times`,
  { timeout: isLong ? 600_000 : 60_000 },
  async (_name, [grant, revoke]) => {
    for (let round = 0; round < rounds; round += 1) {
      await writer.query(undo)
      await writer.query(grant)
      await writer.query(insertPaper((id += 1)))
      await pass()
      const before = id
      // No notice of the revoke comes before what is committed after it.
      const hold = await holdNotices()
      const later = Array.from({ length: 10 }, () => `begin; ${insertPaper((id += 1))}; commit`)
      await writer.query(`begin; ${revoke}; commit; ${later.join(';')}`)
      await pass().finally(hold.letGo)
      const told = listener.heard.map(dataOf).filter((data) => data?.table === 'papers')
      const leaked = told.filter((data) => data!.record.id === undefined || data!.record.id > before)
      expect(leaked.map((data) => data!.record.id)).toEqual([])
      expect(told.some((data) => data!.record.id === before - 1)).toBe(true)
    }
  },
)
