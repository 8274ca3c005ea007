// The server that most people write: Fastify, `pg`, and a transaction per request. Started as a process of its own.
import { fastify } from 'fastify'
import pg from 'pg'

const max = Number(process.env['CONNECTIONS'] ?? 16)
const pool = new pg.Pool({ connectionString: process.env['DATABASE_URL'], max })
const app = fastify()
const claims = process.env['CLAIMS'] as string

/** BEGIN · settings · query · COMMIT. The token is not even verified: this is the least such a server does. */
async function asCaller(text: string, params: unknown[]): Promise<unknown> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query({
      name: 'settings',
      text: "select set_config('role', 'authenticated', true), set_config('request.jwt.claims', $1, true)",
      values: [claims],
    })
    const { rows } = await client.query({ name: text.slice(0, 60), text, values: params })
    await client.query('commit')
    return rows
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

type Params = { Params: { id: string } }

app.get<Params>('/items/:id', ({ params }) => asCaller('select * from items where id = $1', [params.id]))
app.get<Params>('/feed/:id', ({ params }) =>
  asCaller(
    `select i.id, i.title, i.created_at, json_build_object('id', a.id, 'name', a.name, 'avatar', a.avatar) as authors
     from items i left join authors a on a.id = i.author_id where i.score = $1 order by i.created_at desc limit 20`,
    [params.id],
  ),
)
app.post<{ Body: { device: number; value: number } }>('/readings', ({ body }) =>
  asCaller('insert into readings (device, value) values ($1, $2) returning *', [body.device, body.value]),
)
app.post<{ Body: { id: number; value: number }[] }>('/counters', ({ body }) =>
  asCaller(
    `insert into counters (id, value) select id, value from json_to_recordset($1) as r(id integer, value integer)
     on conflict (id) do update set value = excluded.value`,
    [JSON.stringify(body)],
  ),
)
app.post<{ Body: { a: number; b: number } }>('/rpc/add', ({ body }) =>
  asCaller('select add($1, $2) as sum', [body.a, body.b]),
)
app.get<Params>('/count/:id', async ({ params }) => ({
  total: await asCaller('select count(*) as total from items where score = $1', [params.id]),
  rows: await asCaller('select * from items where score = $1 order by id limit 20', [params.id]),
}))
app.get<Params>('/page/:id', ({ params }) =>
  asCaller('select * from items where id > $1 order by id limit 1000', [params.id]),
)
type Slow = { Body: { key: number; pause: number; toil: number } }
app.post<Slow>('/look', ({ body: { key, pause, toil } }) =>
  asCaller('select * from look($1, $2, $3)', [key, pause, toil]),
)
app.post<Slow>('/note', ({ body: { key, pause, toil } }) =>
  asCaller('select * from note($1, $2, $3)', [key, pause, toil]),
)

const address = await app.listen({ port: 0, host: '127.0.0.1' })
process.stdout.write(`${JSON.stringify({ url: address })}\n`)
