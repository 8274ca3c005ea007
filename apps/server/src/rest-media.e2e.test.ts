import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isOnCitus } from './testing/spread-tables.ts'
import { harbour, startApi, type Api } from './testing/start-api.ts'

let api: Api
beforeAll(async () => {
  api = await startApi({ sql: harbour + handlers, environment: { PANDO_REST_PLAN_ENABLED: 'true' } })
})
afterAll(() => api.stop())

const handlers = `
  create schema if not exists api_types;

  -- A media type of its own, made by a function.
  create domain public."image/x-flag" as bytea;
  create function public.flag_of(ship int) returns public."image/x-flag"
    language sql stable as $$ select decode('cafe0' || ship, 'hex') $$;

  -- One made by an aggregate over the rows of a table.
  create domain public."text/x-names" as text;
  create function public.names_step(state public."text/x-names", next public.sailors) returns public."text/x-names"
    language sql immutable as $$ select (state || next.name || ';')::public."text/x-names" $$;
  create aggregate public.names_agg(public.sailors) (initcond = '', stype = public."text/x-names", sfunc = public.names_step);
  create function public.all_sailors() returns setof public.sailors language sql stable as $$ select * from public.sailors order by id $$;

  -- A builtin one, overridden for one table, with a header of its own.
  create function public.motto() returns text language sql as $$ select 'sail, not oar' $$;
  create domain public."text/csv" as text;
  create function public.ports_csv_step(state text, next public.ports) returns public."text/csv"
    language sql immutable as $$ select (state || next.code || E'\\n')::public."text/csv" $$;
  create function public.ports_csv_final(data public."text/csv") returns public."text/csv" language plpgsql as $$
  begin
    perform set_config('response.headers', '[{"Content-Disposition": "attachment; filename=\\"ports.csv\\""}]', true);
    return (E'code\\n' || data)::public."text/csv";
  end $$;
  create aggregate public.ports_csv(public.ports)
    (initcond = '', stype = public."text/csv", sfunc = public.ports_csv_step, finalfunc = public.ports_csv_final);

  -- Anything at all.
  create domain public."*/*" as bytea;
  create function public.any_file() returns public."*/*" language plpgsql as $$
  begin
    perform set_config('response.headers', '[{"Content-Type": "image/svg+xml"}]', true);
    return convert_to('<svg/>', 'utf8');
  end $$;
  create function public.raw_bytes() returns public."*/*" language sql as $$ select '\\x00ff'::bytea $$;

  -- How a value looks outside.
  create domain public.colour as int;
  create function public.colour_to_json(public.colour) returns json language sql immutable as $$ select to_json('#' || lpad(to_hex($1), 6, '0')) $$;
  create function public.colour_from_text(text) returns public.colour language sql immutable as $$
    select (('x' || lpad(ltrim($1, '#'), 8, '0'))::bit(32)::int)::public.colour $$;
  create function public.colour_from_json(json) returns public.colour language sql immutable as $$ select public.colour_from_text($1 #>> '{}') $$;
  create cast (public.colour as json) with function public.colour_to_json(public.colour) as implicit;
  create cast (json as public.colour) with function public.colour_from_json(json) as implicit;
  create cast (text as public.colour) with function public.colour_from_text(text) as implicit;
  create table public.pennants (id int primary key, shade public.colour);
  insert into public.pennants values (1, 255), (2, 16711680);

  create function public.teapot() returns json language plpgsql as $$
  begin
    perform set_config('response.status', '418', true);
    perform set_config('response.headers', '[{"X-Pot": "tea"}, {"Set-Cookie": "a=1"}, {"Set-Cookie": "b=2"}]', true);
    return '{"short": true}'::json;
  end $$;
  create function public.bad_status() returns text language plpgsql as $$
  begin perform set_config('response.status', 'teapot', true); return ''; end $$;
  create function public.bad_headers() returns text language plpgsql as $$
  begin perform set_config('response.headers', '{"X-Pot": "tea"}', true); return ''; end $$;
  create function public.page() returns xml language sql stable as $$ select '<p>hello</p>'::xml $$;
`

const get = (path: string, accept: string, more: Record<string, string> = {}) =>
  api.ask(path, { headers: { Accept: accept, ...more } })
const typeOf = ({ headers }: { headers: Headers }): string | null => headers.get('content-type')

describe('CSV', () => {
  it('has a line of names, and quotes where they are needed', async () => {
    const answer = await get('/ships?select=id,name,tonnage,tags&order=id&limit=2', 'text/csv')
    expect([typeOf(answer), answer.text]).toEqual([
      'text/csv; charset=utf-8',
      'id,name,tonnage,tags\n1,Albatross,5200,"{fast,cargo}"\n2,Bluebell,80,{school}',
    ])
    expect((await api.client().from('sailors').select().order('id').csv()).data).toBe('id,name\n1,Abe\n2,Bea\n3,Cyd')
  })

  it('of nothing is the line of names', async () => {
    expect((await get('/sailors?id=eq.0', 'text/csv')).text).toBe('id,name\n')
  })

  it('of a function', async () => {
    expect((await get('/rpc/all_sailors?select=name&id=eq.1', 'text/csv')).text).toBe('name\nAbe')
    expect((await get('/rpc/motto', 'text/csv')).text).toBe('pgrst_scalar\n"sail, not oar"')
  })

  it('of rows that were written', async () => {
    const { text, status } = await api.ask('/pennants?select=id', {
      method: 'POST',
      body: { id: 3, shade: '#00ff00' },
      headers: { Accept: 'text/csv', Prefer: 'return=representation' },
    })
    expect([status, text]).toEqual([201, 'id\n3'])
  })
})

describe('what a caller accepts', () => {
  it.each([
    ['*/*', 'application/json; charset=utf-8'],
    ['application/json', 'application/json; charset=utf-8'],
    ['application/vnd.pgrst.array+json', 'application/json; charset=utf-8'],
    [
      'application/vnd.pgrst.array+json;nulls=stripped',
      'application/vnd.pgrst.array+json; nulls=stripped; charset=utf-8',
    ],
    ['text/html, application/xhtml+xml, */*;q=0.8', 'application/json; charset=utf-8'],
    ['application/json;q=0.5, text/csv', 'text/csv; charset=utf-8'],
    ['text/csv;q=0.1, application/json;q=0.9', 'application/json; charset=utf-8'],
  ])('%s', async (accept, expected) => {
    const answer = await get('/voyages?limit=1', accept)
    expect([answer.status, typeOf(answer)]).toEqual([200, expected])
  })

  it('what cannot be made is 406 and named', async () => {
    const { status, body } = await get('/ships', 'unknown/unknown')
    expect([status, body]).toEqual([
      406,
      {
        code: 'PGRST107',
        message: 'None of these media types are available: unknown/unknown',
        details: null,
        hint: null,
      },
    ])
  })
})

describe('handlers of the database', () => {
  it('a function with a media type as result makes the body itself', async () => {
    const response = await fetch(`${api.url}/rest/v1/rpc/flag_of?ship=7`, {
      headers: { apikey: api.keys.anonKey, Accept: 'image/x-flag' },
    })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/x-flag'])
    expect(Buffer.from(await response.arrayBuffer()).toString('hex')).toBe('cafe07')
  })

  it('an aggregate makes it from the rows of its table, filtered and ordered', async () => {
    const answer = await get('/sailors?id=gt.1&order=id.desc', 'text/x-names')
    expect([answer.status, typeOf(answer), answer.text]).toEqual([200, 'text/x-names', 'Cyd;Bea;'])
    expect((await get('/rpc/all_sailors', 'text/x-names')).text).toBe('Abe;Bea;Cyd;')
  })

  it('such an aggregate is for no other table, and not for a part of the columns', async () => {
    expect((await get('/ships', 'text/x-names')).status).toBe(406)
    expect((await get('/sailors?select=name', 'text/x-names')).status).toBe(406)
  })

  it('overrides a builtin one for its table alone, and sets headers', async () => {
    const { text, headers } = await get('/ports?order=code&limit=2', 'text/csv')
    expect([text, headers.get('content-disposition')]).toEqual([
      'code\nDEHAM\nNLRTM\n',
      'attachment; filename="ports.csv"',
    ])
    expect((await get('/sailors?id=eq.1', 'text/csv')).text).toBe('id,name\n1,Abe')
  })

  it('one for anything answers whatever is asked', async () => {
    const any = await get('/rpc/any_file', 'what/ever')
    expect([any.status, typeOf(any), any.text]).toEqual([200, 'image/svg+xml', '<svg/>'])
    expect(typeOf(await api.ask('/rpc/raw_bytes'))).toBe('application/octet-stream')
  })
})

describe('domain representations', () => {
  it('read, filter, insert and update in the outside form', async () => {
    expect((await api.ask('/pennants?order=id&id=lt.3')).body).toEqual([
      { id: 1, shade: '#0000ff' },
      { id: 2, shade: '#ff0000' },
    ])
    expect((await api.ask('/pennants?select=id&shade=eq.%230000ff')).body).toEqual([{ id: 1 }])
    const { data } = await api.client().from('pennants').insert({ id: 9, shade: '#00ff01' }).select()
    expect(data).toEqual([{ id: 9, shade: '#00ff01' }])
    await api.client().from('pennants').update({ shade: '#000002' }).eq('id', 9)
    expect(await api.database.query('select shade::int from public.pennants where id = 9')).toEqual([{ shade: 2 }])
  })
})

describe('status and headers by a function', () => {
  it('replace and add to those of the answer', async () => {
    const { status, headers, body } = await api.ask('/rpc/teapot')
    expect([status, headers.get('x-pot'), headers.getSetCookie(), body]).toEqual([
      418,
      'tea',
      ['a=1', 'b=2'],
      { short: true },
    ])
  })

  it('what is none is 500', async () => {
    expect((await api.ask('/rpc/bad_status')).body).toEqual({
      code: 'PGRST112',
      message: 'response.status guc must be a valid status code',
      details: null,
      hint: null,
    })
    const { status, body } = await api.ask('/rpc/bad_headers')
    expect([status, body]).toMatchObject([
      500,
      {
        code: 'PGRST111',
        message: 'response.headers guc must be a JSON array composed of objects with a single key and a string value',
      },
    ])
  })
})

describe('the plan of a request', () => {
  it('as text and as JSON', async () => {
    const text = await get('/ships?id=eq.1', 'application/vnd.pgrst.plan')
    expect([text.status, typeOf(text)]).toEqual([
      200,
      'application/vnd.pgrst.plan+text; for="application/json"; charset=utf-8',
    ])
    expect(text.text).toContain('ships')
    const json = await get('/ships?id=eq.1', 'application/vnd.pgrst.plan+json; options=analyze|buffers')
    expect(typeOf(json)).toBe(
      'application/vnd.pgrst.plan+json; for="application/json"; options=analyze|buffers; charset=utf-8',
    )
    expect(json.body).toMatchObject([{ Plan: { 'Node Type': expect.any(String), 'Actual Rows': expect.any(Number) } }])
  })

  it('of the client', async () => {
    const plan = await api.client().from('ships').select().explain()
    expect(plan.data).toContain('cost=')
    const { data } = await api.client().from('ships').select().explain({ format: 'json', verbose: true })
    expect(data).toMatchObject([{ Plan: { Output: expect.any(Array) } }])
  })

  it.skipIf(isOnCitus)('with analyze a write happens', async () => {
    const { status } = await api.ask('/pennants', {
      method: 'POST',
      body: { id: 20, shade: null },
      headers: {
        Accept: 'application/vnd.pgrst.plan+json; for="application/json"; options=analyze',
        Prefer: 'return=representation',
      },
    })
    expect(status).toBe(200)
  })
})

describe('OPTIONS', () => {
  it.each([
    ['/ships', 'OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE'],
    ['/steel_ships', 'OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE'],
    ['/fleet', 'OPTIONS,GET,HEAD'],
    ['/rpc/all_sailors', 'OPTIONS,GET,HEAD,POST'],
    ['/rpc/teapot', 'OPTIONS,POST'],
  ])('%s', async (path, allow) => {
    const { status, headers, text } = await api.ask(path, { method: 'OPTIONS' })
    expect([status, headers.get('allow'), text]).toEqual([200, allow, ''])
  })

  it('of nothing is 404', async () => {
    expect((await api.ask('/nowhere', { method: 'OPTIONS' })).status).toBe(404)
  })
})

describe('the root', () => {
  it('describes what the caller may use', async () => {
    const answer = await api.ask('/')
    expect([answer.status, typeOf(answer)]).toEqual([200, 'application/openapi+json; charset=utf-8'])
    expect(answer.body).toMatchObject({
      swagger: '2.0',
      definitions: {
        ports: {
          description: 'Ports of call\n\nEvery place where a ship may land.',
          required: expect.arrayContaining(['code', 'name']),
          properties: {
            code: { type: 'string', format: 'text', description: expect.stringContaining('Five letters (UN/LOCODE)') },
            languages: { type: 'array', items: { type: 'string' } },
          },
        },
        ships: { properties: { hull: { enum: ['wood', 'iron', 'steel'] } } },
      },
      paths: {
        '/ports': { get: { summary: 'Ports of call', description: 'Every place where a ship may land.' } },
        '/ships': {
          get: expect.anything(),
          post: expect.anything(),
          patch: expect.anything(),
          delete: expect.anything(),
        },
        '/rpc/flag_of': { get: expect.anything(), post: expect.anything() },
      },
    })
  })

  it('leaves out what the caller may not use', async () => {
    await api.database.run('create table public.secrets (id int primary key); revoke all on public.secrets from anon')
    await api.database.run("notify pgrst, 'reload schema'")
    await expect.poll(async () => (await api.ask('/secrets')).status).toBe(401)
    expect(Object.keys((await api.ask('/')).body as object)).toContain('paths')
    expect(JSON.stringify((await api.ask('/')).body)).not.toContain('secrets')
    const asService = await api.ask('/', { headers: { apikey: api.keys.secretKey } })
    expect(JSON.stringify(asService.body)).toContain('secrets')
  })
})

describe('headers of an answer', () => {
  it('location of the content, and the stages of the work', async () => {
    const { headers } = await api.ask('/ships?select=id&order=id&limit=1')
    expect(headers.get('content-location')).toBe('/ships?limit=1&order=id&select=id')
    expect(headers.get('server-timing')).toMatch(/transaction;dur=/)
  })

  it('browsers of any origin may read them', async () => {
    const preflight = await fetch(`${api.url}/rest/v1/ships`, {
      method: 'OPTIONS',
      headers: {
        Origin: 'https://app.example',
        'Access-Control-Request-Method': 'PATCH',
        'Access-Control-Request-Headers': 'apikey,prefer',
      },
    })
    expect(preflight.ok).toBe(true)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PATCH')
    const answer = await api.ask('/ships?limit=1', { headers: { Origin: 'https://app.example' } })
    expect(answer.headers.get('access-control-allow-origin')).toBe('*')
    expect(answer.headers.get('access-control-expose-headers')).toContain('Content-Range')
  })
})
