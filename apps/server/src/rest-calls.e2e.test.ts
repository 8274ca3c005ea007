import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { harbour, startApi, type Api } from './testing/start-api.ts'

let api: Api
beforeAll(async () => {
  api = await startApi({ sql: harbour + functions })
})
afterAll(() => api.stop())

const functions = `
  create function public.add(a int, b int) returns int language sql immutable as $$ select a + b $$;
  create function public.greet(who text default 'sailor') returns text language sql stable as $$ select 'Ahoy ' || who $$;
  create function public.toll(tons int) returns int language sql immutable as $$ select tons * 2 $$;
  create function public.toll(tons int, nights int) returns int language sql immutable as $$ select tons * 2 + nights $$;
  create function public.twin(x int) returns text language sql as $$ select 'int' $$;
  create function public.twin(x text) returns text language sql as $$ select 'text' $$;
  create function public.total(variadic tons int[]) returns bigint language sql immutable as $$ select sum(t) from unnest(tons) t $$;
  create function public.doubled(tons int[]) returns int[] language sql immutable as $$ select array_agg(t * 2) from unnest(tons) t $$;
  create function public.keep(json) returns json language sql immutable as $$ select $1 $$;
  create function public.shout(text) returns text language sql immutable as $$ select upper($1) $$;
  create function public.hum() returns text language sql immutable as $$ select 'hm' $$;
  create function public.hum(text default 'x') returns text language sql immutable as $$ select $1 $$;
  create function public.byte_count(bytea) returns int language sql immutable as $$ select length($1) $$;
  create function public.root_name(xml) returns text language sql immutable as $$ select (xpath('name(/*)', $1))[1]::text $$;
  create function public.rename_ship(ship int, new_name text) returns void
    language sql as $$ update public.ships set name = new_name where id = ship $$;
  create function public.one_ship(ship int) returns public.ships
    language sql stable as $$ select * from public.ships where id = ship $$;
  create function public.ships_over(tons int) returns setof public.ships
    language sql stable as $$ select * from public.ships where tonnage > tons $$;
  create function public.distances(start text) returns table (port text, miles int)
    language sql stable as $$ select code, length(name) * 100 from public.ports where code <> start $$;
  create function public.numbers(until int) returns setof int language sql immutable as $$ select generate_series(1, until) $$;
  create function public.tides(until int) returns table (tide int) language sql immutable as $$ select generate_series(1, until) $$;
  create function public.as_record() returns record language sql stable as $$ select 1 as id, 'x' as name $$;
  create function public.as_records() returns setof record language sql stable as $$ select id, name from public.sailors order by id $$;
  create function public.pair(out low int, out high int) language sql immutable as $$ select 1, 2 $$;
  create function public.where_is() returns public.spot language sql immutable as $$ select row(1.5, 2)::public.spot $$;
  create function public.nothing() returns text language sql immutable as $$ select null::text $$;
  create function public.as_json() returns jsonb language sql immutable as $$ select '{"a": [1, null]}'::jsonb $$;
  create function public.flag(on_board boolean) returns boolean language sql immutable as $$ select not on_board $$;
  create function public.log_entry() returns int language sql as $$
    insert into public.sailors (name) values ('Logged') returning 1 $$;
  create function public.retire(older_than int) returns setof public.captains
    language sql as $$ delete from public.captains where id >= older_than returning * $$;
  create function public."With Space"("The Value" int) returns int language sql immutable as $$ select "The Value" $$;
  create function public.setting(name text) returns text language sql stable as $$ select current_setting(name, true) $$;
  create function public.patient() returns text language sql stable
    set statement_timeout = '7s' as $$ select current_setting('statement_timeout') $$;
  create function public.level() returns text language sql
    set default_transaction_isolation = 'serializable' as $$ select current_setting('transaction_isolation') $$;
  create function public.access_mode() returns text language sql volatile as $$ select current_setting('transaction_read_only') $$;
  create function public.access_mode_stable() returns text language sql stable as $$ select current_setting('transaction_read_only') $$;
  create procedure public.not_callable() language sql as $$ select 1 $$;
`

const rpc = (name: string, args?: object, options?: object) => api.client().rpc(name, args, options)
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  api.ask(`/rpc/${path}`, { method: 'POST', body, headers })
const get = (path: string, headers: Record<string, string> = {}) => api.ask(`/rpc/${path}`, { headers })

describe('arguments', () => {
  it('come as an object by POST and as parameters by GET', async () => {
    expect((await rpc('add', { a: 1, b: 2 })).data).toBe(3)
    expect((await rpc('add', { a: 1, b: 2 }, { get: true })).data).toBe(3)
    expect((await get('add?a=1&b=2')).body).toBe(3)
  })

  it('with a default may be left out, also with an empty body', async () => {
    expect((await rpc('greet')).data).toBe('Ahoy sailor')
    expect((await rpc('greet', { who: 'Bea' })).data).toBe('Ahoy Bea')
    expect((await post('greet', '', { 'Content-Type': 'application/json' })).body).toBe('Ahoy sailor')
    expect((await get('greet')).body).toBe('Ahoy sailor')
  })

  it('choose the overload by their names', async () => {
    expect((await rpc('toll', { tons: 10 })).data).toBe(20)
    expect((await rpc('toll', { tons: 10, nights: 3 })).data).toBe(23)
  })

  it('that fit two overloads are ambiguous', async () => {
    const { status, body } = await post('twin', { x: 1 })
    expect([status, body]).toEqual([
      300,
      {
        code: 'PGRST203',
        message: expect.stringMatching(
          /^Could not choose the best candidate function between: public\.twin\(x => (integer|text)\), public\.twin\(x => (integer|text)\)$/,
        ),
        details: null,
        hint: 'Try renaming the parameters or the function itself in the database so function overloading can be resolved',
      },
    ])
  })

  it('may be arrays and variadic', async () => {
    expect((await rpc('doubled', { tons: [1, 2] })).data).toEqual([2, 4])
    expect((await get('doubled?tons=%7B1,2%7D')).body).toEqual([2, 4])
    expect((await rpc('doubled', { tons: [1, 2] }, { get: true })).data).toEqual([2, 4])
    expect((await rpc('total', { tons: [1, 2, 3] })).data).toBe(6)
    expect((await get('total?tons=1&tons=2&tons=3')).body).toBe(6)
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    expect((await post('total', 'tons=4&tons=5', form)).body).toBe(9)
    expect((await post('add', 'a=4&b=5', form)).body).toBe(9)
  })

  it('may be the whole body of a function with one unnamed parameter', async () => {
    expect((await post('keep', { any: ['thing'] })).body).toEqual({ any: ['thing'] })
    expect((await post('keep', [{ a: 1 }, { a: 2 }])).body).toEqual([{ a: 1 }, { a: 2 }])
    expect((await post('shout', 'quiet', { 'Content-Type': 'text/plain' })).body).toBe('QUIET')
    expect(
      (await post('byte_count', new Uint8Array([0, 255, 3]), { 'Content-Type': 'application/octet-stream' })).body,
    ).toBe(3)
    expect((await post('root_name', '<sea><fish/></sea>', { 'Content-Type': 'text/xml' })).body).toBe('sea')
  })

  it('with an empty name are for the unnamed parameter, which still gets the whole body', async () => {
    expect((await rpc('shout', { '': 'x' })).data).toBe('{"":"X"}')
    expect((await rpc('keep', { '': [1] })).data).toEqual({ '': [1] })
  })

  it('that may be left out, unnamed beside none, are ambiguous', async () => {
    expect((await rpc('hum')).error).toMatchObject({
      code: 'PGRST203',
      message: 'Could not choose the best candidate function between: public.hum(), public.hum( => text)',
    })
  })

  it('have any names, and values that look like anything', async () => {
    expect((await rpc('With Space', { 'The Value': 5 })).data).toBe(5)
    expect((await rpc('greet', { who: `'; drop table ships; --` })).data).toBe(`Ahoy '; drop table ships; --`)
    expect((await get('greet?who=a.b,(c)')).body).toBe('Ahoy a.b,(c)')
  })

  it('columns chooses which members of the body are arguments', async () => {
    expect((await post('add?columns=a,b', { a: 1, b: 2, c: 3 })).body).toBe(3)
  })

  it('that nobody asked for are refused with the nearest function', async () => {
    const { status, body } = await post('add', { a: 1, x: 2 })
    expect([status, body]).toEqual([
      404,
      {
        code: 'PGRST202',
        message: 'Could not find the function public.add(a, x) in the schema cache',
        details:
          'Searched for the function public.add with parameters a, x or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache.',
        hint: 'Perhaps you meant to call the function public.add(a, b)',
      },
    ])
    expect((await get('ships_ove')).body).toMatchObject({
      code: 'PGRST202',
      message: 'Could not find the function public.ships_ove without parameters in the schema cache',
      hint: 'Perhaps you meant to call the function public.ships_over',
    })
  })

  it('procedures are no functions', async () => {
    expect((await post('not_callable', {})).body).toMatchObject({ code: 'PGRST202' })
  })
})

describe('results', () => {
  it.each<[string, object | undefined, unknown]>([
    ['flag', { on_board: true }, false],
    ['nothing', undefined, null],
    ['as_json', undefined, { a: [1, null] }],
    ['numbers', { until: 3 }, [1, 2, 3]],
    ['where_is', undefined, { latitude: 1.5, longitude: 2 }],
    ['pair', undefined, { low: 1, high: 2 }],
    ['as_record', undefined, { id: 1, name: 'x' }],
  ])('of %s', async (name, args, expected) => {
    const { data, error } = await rpc(name, args)
    expect(error).toBeNull()
    expect(data).toEqual(expected)
  })

  it('a set of records, a table and rows of a table are lists', async () => {
    expect((await rpc('as_records')).data).toEqual([
      { id: 1, name: 'Abe' },
      { id: 2, name: 'Bea' },
      { id: 3, name: 'Cyd' },
    ])
    expect((await rpc('distances', { start: 'DEHAM' }).order('port').limit(1)).data).toEqual([
      { port: 'NLRTM', miles: 900 },
    ])
    expect((await rpc('one_ship', { ship: 2 })).data).toMatchObject({ id: 2, name: 'Bluebell' })
  })

  it('void is 204 and changes what it changes', async () => {
    const { status, data } = await rpc('rename_ship', { ship: 4, new_name: 'Dune II' })
    expect([status, data]).toEqual([204, null])
    expect(await api.database.query('select name from public.ships where id = 4')).toEqual([{ name: 'Dune II' }])
    await rpc('rename_ship', { ship: 4, new_name: 'Dune' })
  })

  it('rows can be filtered, ordered, cut and embedded', async () => {
    const { data } = await rpc('ships_over', { tons: 50 })
      .select('name,captains(name)')
      .neq('hull', 'wood')
      .order('tonnage')
      .limit(1)
    expect(data).toEqual([{ name: 'Cormorant', captains: { name: 'Tomas Berg' } }])
    expect((await get('ships_over?tons=50&select=name,title&order=id&hull=eq.wood')).body).toEqual([
      { name: 'Bluebell', title: 'MS Bluebell' },
    ])
    expect((await get('distances?start=DEHAM&select=port&miles=lt.900&order=port.desc&limit=1')).body).toEqual([
      { port: 'XXSEA' },
    ])
  })

  it('one row can be asked for', async () => {
    expect((await rpc('ships_over', { tons: 5000 }).select('name').single()).data).toEqual({ name: 'Albatross' })
    expect((await rpc('ships_over', { tons: 0 }).single()).error?.code).toBe('PGRST116')
  })

  it('can be counted', async () => {
    const { count } = await rpc('ships_over', { tons: 50 }, { count: 'exact' }).limit(1)
    expect(count).toBe(3)
    const head = await rpc('ships_over', { tons: 50 }, { head: true, count: 'exact' })
    expect([head.count, head.data]).toEqual([3, null])
    const page = await get('numbers?until=10&limit=3&offset=2', { Prefer: 'count=exact' })
    expect([page.status, page.body, page.headers.get('content-range')]).toEqual([206, [3, 4, 5], '2-4/10'])
  })

  it.each([
    ['exact', 206, '0-999/1500'],
    ['estimated', 206, '0-999/1500'],
    ['planned', 200, '0-999/*'],
  ])('a call with count=%s is answered as PostgREST answers it, past the most rows of an answer', async (...wanted) => {
    const [count, status, range] = wanted
    for (const path of ['tides', 'numbers']) {
      const answer = await post(path, { until: 1500 }, { prefer: `count=${count}` })
      expect([answer.status, answer.headers.get('content-range')]).toEqual([status, range])
      expect(answer.headers.get('preference-applied')).toBe(`count=${count}`)
    }
  })
})

describe('transactions', () => {
  it('GET is read only: a function that writes is 405', async () => {
    const { status, body } = await get('log_entry')
    expect([status, body]).toMatchObject([405, { code: '25006' }])
    expect((await post('log_entry', {})).body).toBe(1)
  })

  it('volatile functions may write by POST, others never', async () => {
    expect((await post('access_mode', {})).body).toBe('off')
    expect((await get('access_mode')).body).toBe('on')
    expect((await post('access_mode_stable', {})).body).toBe('on')
  })

  it('settings of a function hold for its whole transaction', async () => {
    expect((await get('patient')).body).toBe('7s')
    expect((await post('level', {})).body).toBe('serializable')
  })

  it('tell a function everything about its request', async () => {
    const headers = { 'X-Fish': 'cod', Cookie: 'a=1; b=2' }
    const ask = async (name: string) => (await get(`setting?name=${name}`, headers)).body as string
    expect(await ask('request.method')).toBe('GET')
    expect(await ask('request.path')).toBe('/rest/v1/rpc/setting')
    expect(JSON.parse(await ask('request.headers'))).toMatchObject({ 'x-fish': 'cod' })
    expect(JSON.parse(await ask('request.headers'))).not.toHaveProperty('cookie')
    expect(JSON.parse(await ask('request.cookies'))).toEqual({ a: '1', b: '2' })
    expect(JSON.parse(await ask('request.jwt.claims'))).toMatchObject({ role: 'anon' })
    expect(await ask('role')).toBe('anon')
  })

  it('max-affected needs a set, and undoes what returns more', async () => {
    const strict = { Prefer: 'handling=strict, max-affected=1' }
    await api.database.run("insert into public.captains (id, name) values (200, 'x'), (201, 'y')")
    expect((await post('retire', { older_than: 200 }, strict)).body).toMatchObject({
      code: 'PGRST124',
      details: 'The query affects 2 rows',
    })
    expect(await api.database.query('select count(*)::int as n from public.captains where id >= 200')).toEqual([
      { n: 2 },
    ])
    expect((await post('retire', { older_than: 201 }, strict)).status).toBe(200)
    expect((await post('add', { a: 1, b: 1 }, strict)).body).toMatchObject({ code: 'PGRST128' })
  })
})

describe('verbs', () => {
  it.each(['PATCH', 'PUT', 'DELETE'])('%s is refused', async (method) => {
    const { status, body } = await api.ask('/rpc/add', { method, body: {} })
    expect([status, body]).toMatchObject([405, { code: 'PGRST101', message: `Cannot use the ${method} method on RPC` }])
  })
})
