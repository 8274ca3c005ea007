import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { harbour, startApi, type Api } from './testing/start-api.ts'

let api: Api
beforeAll(async () => {
  api = await startApi({ sql: harbour + sources })
})
afterAll(() => api.stop())

const sources = `
  create table public.vault (id int primary key, secret text);
  revoke all on public.vault from anon, authenticated;
  create table public.mine (id int primary key, owner text default current_user);
  alter table public.mine enable row level security;
  create policy "read mine" on public.mine for select to authenticated using (true);
  create view public.counter as select nextval('public.captains_id_seq');
  create function public.fail_with(code text) returns void language plpgsql as $$
  begin raise exception using errcode = code, message = 'I refuse!', detail = 'Pretty simple', hint = 'Do not ask'; end $$;
  create function public.fail_plainly() returns void language plpgsql as $$
  begin raise exception 'I refuse!' using detail = 'Pretty simple', hint = 'Do not ask'; end $$;
  create function public.fail_fully() returns void language plpgsql as $$
  begin
    raise sqlstate 'PGRST' using
      message = '{"code": "fish-1", "message": "Too big", "details": "A whale", "hint": "Use two nets"}',
      detail = '{"status": 419, "status_text": "Net Torn", "headers": {"X-Fish": "whale"}}';
  end $$;
  create function public.fail_badly() returns void language plpgsql as $$
  begin raise sqlstate 'PGRST' using message = 'no json', detail = '{"status": 419}'; end $$;
  create function public.divide(a int, b int) returns int language sql immutable as $$ select a / b $$;
`

const none = { details: null, hint: null }

describe('what is not there', () => {
  it('a table, with the nearest one', async () => {
    const { status, error } = await api.client().from('shps').select()
    expect([status, error]).toMatchObject([
      404,
      {
        code: 'PGRST205',
        message: "Could not find the table 'public.shps' in the schema cache",
        details: null,
        hint: "Perhaps you meant the table 'public.ships'",
      },
    ])
    expect((await api.ask('/zzzzzz')).body).toMatchObject({ code: 'PGRST205', hint: null })
  })

  it('a column', async () => {
    expect(await api.ask('/ships?select=wings')).toMatchObject({
      status: 400,
      body: { code: '42703', message: 'column ships.wings does not exist' },
    })
    expect(await api.ask('/ships?wings=eq.1')).toMatchObject({ status: 400, body: { code: '42703' } })
    expect(await api.ask('/ships?order=wings')).toMatchObject({ status: 400, body: { code: '42703' } })
  })

  it.each(['/ships/1', '/a/b/c', '/rpc', '/rpc/'])('a path: %s', async (path) => {
    const { status, body } = await api.ask(path)
    expect(status).toBe(404)
    expect(body).toMatchObject({ code: expect.stringMatching(/^PGRST(125|205)$/) })
  })

  it('a verb', async () => {
    expect(await api.ask('/ships', { method: 'LOCK' })).toMatchObject({
      status: 405,
      body: { code: 'PGRST117', message: 'Unsupported HTTP method: LOCK', ...none },
    })
  })
})

describe('a query that cannot be read', () => {
  it.each([
    '/ships?name=foo',
    '/ships?name=eqq.1',
    '/ships?id=in.1,2',
    '/ships?active=is.maybe',
    '/ships?or=(name.eq.a',
    '/ships?or=name.eq.a',
    '/ships?and=(name.zz.a)',
    '/ships?select=name(',
    '/ships?select=name,captains(name',
    '/ships?select=->a',
    '/ships?order=name.sideways',
    '/ships?order=name.asc.nullsmiddle',
    '/ships?id=gt(some).{1}',
    '/ships?columns=a,,b',
  ])('%s is PGRST100', async (path) => {
    const { status, body } = await api.ask(path, path.includes('columns') ? { body: {} } : {})
    expect([status, body]).toMatchObject([
      400,
      { code: 'PGRST100', message: expect.stringContaining('(line 1, column ') },
    ])
  })

  it('says what was read, where it went wrong and what was expected', async () => {
    expect((await api.ask('/ships?id=foo.1')).body).toEqual({
      code: 'PGRST100',
      message: '"failed to parse filter (foo.1)" (line 1, column 1)',
      details: 'unexpected "f" expecting "not" or operator (eq, gt, ...)',
      hint: null,
    })
    expect((await api.ask('/ships?select=name::text::int,')).body).toMatchObject({ code: 'PGRST100' })
  })

  it('values that do not fit their column are the error of Postgres', async () => {
    expect(await api.ask('/ships?id=eq.one')).toMatchObject({
      status: 400,
      body: { code: '22P02', message: 'invalid input syntax for type integer: "one"', ...none },
    })
    expect(await api.ask('/ships?name=match.(')).toMatchObject({ status: 400, body: { code: '2201B' } })
    expect(await api.ask('/ships?id=like.1*')).toMatchObject({ status: 404, body: { code: '42883' } })
  })
})

describe('what the caller may not do', () => {
  it('is 401 for a stranger and 403 for somebody known', async () => {
    const stranger = await api.client().from('vault').select()
    expect([stranger.status, stranger.error]).toMatchObject([
      401,
      { code: '42501', message: 'permission denied for table vault' },
    ])
    const known = await api
      .client(await api.sign({ sub: 'u1' }))
      .from('vault')
      .select()
    expect([known.status, known.error?.code]).toEqual([403, '42501'])
  })

  it('a row policy hides rows from reads and refuses writes', async () => {
    expect((await api.client().from('mine').select()).data).toEqual([])
    const { status, error } = await api
      .client(await api.sign({ sub: 'u1' }))
      .from('mine')
      .insert({ id: 1 })
    expect([status, error]).toMatchObject([
      403,
      { code: '42501', message: 'new row violates row-level security policy for table "mine"' },
    ])
  })

  it('GET cannot change anything', async () => {
    expect(await api.ask('/counter')).toMatchObject({ status: 405, body: { code: '25006' } })
  })
})

describe('errors of functions', () => {
  it('raise is 400 with its texts', async () => {
    const { status, body } = await api.ask('/rpc/fail_plainly', { method: 'POST' })
    expect([status, body]).toEqual([
      400,
      { code: 'P0001', message: 'I refuse!', details: 'Pretty simple', hint: 'Do not ask' },
    ])
  })

  it.each([
    ['PT402', 402],
    ['PT418', 418],
    ['PT507', 507],
    ['23503', 409],
    ['23505', 409],
    ['42501', 401],
    ['08000', 503],
    ['28000', 403],
    ['40001', 500],
    ['53000', 503],
    ['53400', 500],
    ['54000', 500],
    ['55000', 500],
    ['58000', 500],
    ['P0002', 500],
    ['XX000', 500],
    ['42883', 404],
    ['42P01', 404],
    ['42P17', 500],
    ['22000', 400],
    ['0L000', 403],
    ['0P000', 403],
    ['25006', 405],
  ])('%s is %i', async (code, status) => {
    const answer = await api.ask('/rpc/fail_with', { body: { code } })
    expect([answer.status, answer.body]).toEqual([
      status,
      { code, message: 'I refuse!', details: 'Pretty simple', hint: 'Do not ask' },
    ])
    expect(answer.headers.get('proxy-status')).toBe(`PostgREST; error=${code}`)
  })

  it('PGRST rules the whole answer', async () => {
    const response = await fetch(`${api.url}/rest/v1/rpc/fail_fully`, {
      method: 'POST',
      headers: { apikey: api.keys.anonKey },
    })
    expect([response.status, response.statusText, response.headers.get('x-fish')]).toEqual([419, 'Net Torn', 'whale'])
    expect(await response.json()).toEqual({
      code: 'fish-1',
      message: 'Too big',
      details: 'A whale',
      hint: 'Use two nets',
    })
  })

  it('PGRST that is no JSON is PGRST121', async () => {
    const { status, body } = await api.ask('/rpc/fail_badly', { method: 'POST' })
    expect([status, body]).toMatchObject([
      500,
      { code: 'PGRST121', message: `Could not parse JSON in the "RAISE SQLSTATE 'PGRST'" error` },
    ])
  })

  it('an error of an expression', async () => {
    expect(await api.ask('/rpc/divide?a=1&b=0')).toMatchObject({
      status: 400,
      body: { code: '22012', message: 'division by zero' },
    })
  })

  it('an error of one request does not touch its neighbours', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        api.ask(index % 3 === 0 ? '/rpc/divide?a=1&b=0' : `/rpc/divide?a=${index}&b=1`),
      ),
    )
    expect(answers.map(({ status, body }) => (status === 200 ? body : status))).toEqual(
      answers.map((_, index) => (index % 3 === 0 ? 400 : index)),
    )
  })
})

describe('limits', () => {
  it('a body that is too large is 413', async () => {
    const small = await startApi({ environment: { PANDO_REST_BODY_BYTES_MAX: '2000' } })
    const { status } = await small.ask('/sailors', { body: { name: 'x'.repeat(3000) } })
    await small.stop()
    expect(status).toBe(413)
  })

  it('an aggregate is refused unless they are switched on', async () => {
    expect(await api.ask('/ships?select=tonnage.sum()')).toMatchObject({
      status: 400,
      body: { code: 'PGRST123', message: 'Use of aggregate functions is not allowed' },
    })
  })

  it('so is a plan', async () => {
    expect((await api.client().from('ships').select().explain()).error?.code).toBe('PGRST107')
  })
})
