import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { harbour, startApi, type Api, type Asked, type Received } from './testing/start-api.ts'

const role = `patient_${process.pid}_${Math.floor(performance.now())}`
let api: Api
beforeAll(async () => {
  api = await startApi({
    sql: `
      ${harbour}
      create schema yacht;
      grant usage on schema yacht to anon, authenticated, service_role;
      create table yacht.boats (id int primary key, name text);
      insert into yacht.boats values (1, 'Zephyr');
      grant all on yacht.boats to anon, authenticated, service_role;
      create function yacht.ships() returns text language sql stable as $$ select 'yacht.ships' $$;
      create schema hidden;
      create table hidden.gold (id int);
      create function public.setting(name text) returns text language sql stable as $$ select current_setting(name, true) $$;
      create function public.nap(seconds float) returns text language sql volatile as $$ select pg_sleep(seconds)::text $$;
      create function public.gate() returns void language plpgsql as $$
      begin
        if current_setting('request.headers', true)::json ->> 'x-closed' is not null then
          raise sqlstate 'PT403' using message = 'The harbour is closed';
        end if;
        perform set_config('app.gate', 'passed', true);
        perform set_config('response.headers', '[{"X-Gate": "open"}]', true);
      end $$;
      create function public.my_root() returns json language sql stable as $$ select '{"swagger": "2.0", "mine": true}'::json $$;
    `,
  })
  await api.database.run(`
    create role ${role} nologin;
    grant ${role} to authenticator;
    grant usage on schema public to ${role};
    alter role ${role} set statement_timeout = '150ms';
    alter role ${role} set default_transaction_isolation = 'repeatable read';
    alter role ${role} set work_mem = '7MB';
  `)
})
afterAll(async () => {
  await api.database.run(`drop owned by ${role}; drop role ${role}`)
  await api.stop()
})

/** Settings for this database alone: other test files share the cluster and its roles. */
async function configure(name: string, value: string | undefined, applies: () => Promise<boolean>): Promise<void> {
  const { database } = api
  const target = `alter role authenticator in database ${database.name}`
  await database.run(
    value === undefined ? `${target} reset pgrst.${name}` : `${target} set pgrst.${name} to '${value}'`,
  )
  await database.run("notify pgrst, 'reload config'")
  await expect.poll(applies, { timeout: 10_000 }).toBe(true)
}

/** Runs a test with a setting of the database in force, and takes it back. */
async function withSetting(
  name: string,
  value: string,
  { applies, test }: { applies: () => Promise<boolean>; test: () => Promise<void> },
): Promise<void> {
  await configure(name, value, applies)
  try {
    await test()
  } finally {
    await configure(name, undefined, async () => !(await applies()))
  }
}

const statusOf = async (path: string, asked?: Asked): Promise<number> => (await api.ask(path, asked)).status
const setting = async (name: string, headers?: Record<string, string>): Promise<unknown> =>
  (await api.ask(`/rpc/setting?name=${name}`, { headers })).body

describe('schemas', () => {
  const applies = async (): Promise<boolean> =>
    (await statusOf('/boats', { headers: { 'Accept-Profile': 'yacht' } })) === 200

  it('only those that are exposed can be chosen', async () => {
    expect(await api.ask('/gold', { headers: { 'Accept-Profile': 'hidden' } })).toMatchObject({
      status: 406,
      body: {
        code: 'PGRST106',
        message: 'Invalid schema: hidden',
        details: null,
        hint: 'Only the following schemas are exposed: public',
      },
    })
    expect(await statusOf('/gold')).toBe(404)
  })

  it('the profile headers choose, for reads and for writes', async () => {
    await withSetting('db_schemas', 'public, yacht', {
      applies,
      test: async () => {
        const yacht = api.client().schema('yacht')
        expect((await yacht.from('boats').select('name')).data).toEqual([{ name: 'Zephyr' }])
        expect((await yacht.from('boats').insert({ id: 2, name: 'Mistral' })).status).toBe(201)
        expect((await yacht.from('boats').delete().eq('id', 2)).status).toBe(204)
        expect((await yacht.rpc('ships')).data).toBe('yacht.ships')
        const read = await api.ask('/boats', { headers: { 'Accept-Profile': 'yacht' } })
        expect(read.headers.get('content-profile')).toBe('yacht')
        expect((await api.ask('/ships?limit=1')).headers.get('content-profile')).toBe('public')
        expect(await statusOf('/boats')).toBe(404)
        expect(
          await statusOf('/boats', { method: 'POST', body: { id: 3 }, headers: { 'Accept-Profile': 'yacht' } }),
        ).toBe(404)
        expect((await api.ask('/gold', { headers: { 'Accept-Profile': 'hidden' } })).body).toMatchObject({
          hint: 'Only the following schemas are exposed: public, yacht',
        })
        const path = await api.ask('/', { headers: { 'Accept-Profile': 'yacht' } })
        expect(Object.keys((path.body as { definitions: object }).definitions)).toEqual(['boats'])
      },
    })
  })

  it('only the chosen one and the extra ones are on the search path', async () => {
    expect(await setting('search_path')).toBe('"public", "public", "extensions"')
  })
})

describe('switches in the database', () => {
  it('aggregates', async () => {
    await withSetting('db_aggregates_enabled', 'true', {
      applies: async () => (await statusOf('/ships?select=count()')) === 200,
      test: async () => expect((await api.ask('/ships?select=count()')).body).toEqual([{ count: 4 }]),
    })
  })

  it('plans', async () => {
    const plan = { headers: { Accept: 'application/vnd.pgrst.plan' } }
    await withSetting('db_plan_enabled', 'true', {
      applies: async () => (await statusOf('/ships', plan)) === 200,
      test: async () => expect((await api.ask('/ships', plan)).text).toContain('cost='),
    })
  })

  it('max rows: at the root, in an embed, of a call; counts tell the truth', async () => {
    await withSetting('db_max_rows', '2', {
      applies: async () => ((await api.ask('/ships')).body as unknown[]).length === 2,
      test: async () => {
        expect((await api.ask('/ships?limit=100')).headers.get('content-range')).toBe('0-1/*')
        const counted = await api.ask('/ships', { headers: { Prefer: 'count=exact' } })
        expect([counted.status, counted.headers.get('content-range')]).toEqual([206, '0-1/4'])
        const ports = await api.ask('/captains?select=voyages:ships(voyages(id))&id=eq.2')
        expect(ports.body).toMatchObject([{ voyages: [{}, {}] }])
        expect(
          (
            await api.ask('/ships', {
              method: 'PATCH',
              body: { story: 'x' },
              headers: { Prefer: 'return=representation' },
            })
          ).body,
        ).toHaveLength(4)
      },
    })
  })

  it('a function before every request sets settings and headers, or says no', async () => {
    const applies = async (): Promise<boolean> => (await setting('app.gate')) === 'passed'
    await withSetting('db_pre_request', 'public.gate', {
      applies,
      test: async () => {
        expect((await api.ask('/ships?limit=1')).headers.get('x-gate')).toBe('open')
        expect(await api.ask('/ships', { headers: { 'X-Closed': '1' } })).toMatchObject({
          status: 403,
          body: { code: 'PT403', message: 'The harbour is closed' },
        })
        expect(await statusOf('/sailors', { body: { name: 'Dot' } })).toBe(201)
      },
    })
  })

  it('how transactions end', async () => {
    const insert = (prefer: string): Promise<Received> =>
      api.ask('/sailors?select=name', {
        body: { name: 'Ghost' },
        headers: { Prefer: `return=representation, ${prefer}` },
      })
    const ghosts = async (): Promise<number> => ((await api.ask('/sailors?name=eq.Ghost')).body as unknown[]).length

    expect((await insert('tx=rollback')).headers.get('preference-applied')).toBe('return=representation')
    expect(await ghosts()).toBe(1)
    await api.database.run("delete from public.sailors where name = 'Ghost'")

    await withSetting('db_tx_end', 'commit-allow-override', {
      applies: async () =>
        (await insert('tx=rollback')).headers.get('preference-applied')?.includes('tx=rollback') === true,
      test: async () => {
        await api.database.run("delete from public.sailors where name = 'Ghost'")
        const answer = await insert('tx=rollback')
        expect([answer.status, answer.body]).toEqual([201, [{ name: 'Ghost' }]])
        expect(await ghosts()).toBe(0)
        const { data } = await api.client().from('sailors').insert({ name: 'Ghost' }).select('name').rollback()
        expect([data, await ghosts()]).toEqual([[{ name: 'Ghost' }], 0])
        await insert('tx=commit')
        expect(await ghosts()).toBe(1)
      },
    })
    await api.database.run("delete from public.sailors where name = 'Ghost'")
  })

  it('a whole API that never commits', async () => {
    const insert = (): Promise<Received> => api.ask('/crews', { body: { ship_id: 4, sailor_id: 1, duty: 'ghost' } })
    const ghosts = async (): Promise<unknown[]> => (await api.ask('/crews?duty=eq.ghost')).body as unknown[]
    await withSetting('db_tx_end', 'rollback', {
      applies: async () => {
        await insert()
        const isRolledBack = (await ghosts()).length === 0
        await api.database.run("delete from public.crews where duty = 'ghost'")
        return isRolledBack
      },
      test: async () => {
        expect((await insert()).status).toBe(201)
        expect(await ghosts()).toEqual([])
      },
    })
  })

  it('settings of the app', async () => {
    const applies = async (): Promise<boolean> => (await setting('app.settings.motto')) === 'ahoy'
    await withSetting('app_settings_motto', 'ahoy', { applies, test: async () => expect(await applies()).toBe(true) })
  })

  it('the description at the root', async () => {
    await withSetting('openapi_mode', 'disabled', {
      applies: async () => (await statusOf('/')) === 404,
      test: async () => expect((await api.ask('/')).body).toMatchObject({ code: 'PGRST126' }),
    })
    await withSetting('db_root_spec', 'my_root', {
      applies: async () => JSON.stringify((await api.ask('/')).body).includes('mine'),
      test: async () => expect((await api.ask('/')).body).toEqual({ swagger: '2.0', mine: true }),
    })
  })
})

describe('settings of roles', () => {
  it('hold for requests of the role: time, isolation, memory', async () => {
    const token = await api.sign({ role })
    const headers = { Authorization: `Bearer ${token}` }
    await api.database.run("notify pgrst, 'reload config'")
    await expect.poll(() => setting('work_mem', headers), { timeout: 10_000 }).toBe('7MB')
    expect(await setting('statement_timeout', headers)).toBe('150ms')
    expect(await setting('transaction_isolation', headers)).toBe('repeatable read')
    expect(await setting('work_mem')).not.toBe('7MB')
    const slow = await api.ask('/rpc/nap', { method: 'POST', body: { seconds: 20 }, headers })
    expect(slow.body).toMatchObject({ code: '57014', message: 'canceling statement due to statement timeout' })
    expect(slow.status).toBe(500)
  })

  it('a role that the authenticator may not become is refused', async () => {
    const headers = { Authorization: `Bearer ${await api.sign({ role: 'postgres_nobody' })}` }
    expect(await api.ask('/ships', { headers })).toMatchObject({
      status: 401,
      body: { code: '22023', message: 'role "postgres_nobody" does not exist' },
    })
    const strong = { Authorization: `Bearer ${await api.sign({ role: 'supabase_admin' })}` }
    expect(await api.ask('/ships', { headers: strong })).toMatchObject({ status: 403, body: { code: '42501' } })
  })
})

describe('the picture of the schema', () => {
  it('follows a migration by itself, and on request', async () => {
    await api.database.run('create table public.fresh (id int primary key); grant select on public.fresh to anon')
    await expect.poll(() => statusOf('/fresh'), { timeout: 10_000 }).toBe(200)
    await api.database.run('alter table public.fresh add column ship_id int references public.ships (id)')
    await api.database.run("notify pgrst, 'reload schema'")
    await expect.poll(() => statusOf('/fresh?select=ships(name)'), { timeout: 10_000 }).toBe(200)
    await api.database.run('drop table public.fresh')
    await expect.poll(() => statusOf('/fresh'), { timeout: 10_000 }).toBe(404)
  })

  it('is served from the old one while the new one is read', async () => {
    const answers: number[] = []
    const reloads = Promise.all(Array.from({ length: 5 }, () => api.database.run("notify pgrst, 'reload schema'")))
    for (let count = 0; count < 40; count += 1) answers.push(await statusOf('/ships?limit=1'))
    await reloads
    expect(new Set(answers)).toEqual(new Set([200]))
  })
})
