// Parse Server 9 on the same Postgres, in a database of its own. Requests use the application's key and no user session.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ParseServer } from 'parse-server'
import pg from 'pg'

const databaseURI = process.env['DATABASE_URL'] as string
const rows = Number(process.env['ROWS'] ?? 100_000)
const appId = 'bench'
const masterKey = 'bench-master-key'

/** What is slow is SQL of one's own, and so is the row that it is about: Parse has no such thing. */
const pool = new pg.Pool({ connectionString: databaseURI, max: Number(process.env['CONNECTIONS'] ?? 8) })
const toilSql = 'select pg_sleep($1), (select sum(sqrt(n)) from generate_series(1, $2::integer) as n)'
const lookSql = 'select * from "Item" where "objectId" = $1'
const noteSql = `insert into "Reading" ("objectId", "createdAt", "updatedAt", device, value)
  values (gen_random_uuid()::text, now(), now(), $1::integer, 0.5) returning *`

async function toil({ key, pause, toil: rows }: Record<string, unknown>, sql: string): Promise<unknown> {
  await pool.query(toilSql, [pause, rows])
  return (await pool.query(sql, [String(key)])).rows
}

const http = createServer((request, response) => parse.app(request, response))
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`

const fields = { key: 'Number', title: 'String', body: 'String', score: 'Number', isPublic: 'Boolean' }
const parse = new ParseServer({
  databaseURI,
  appId,
  masterKey,
  serverURL: url,
  allowClientClassCreation: true,
  silent: true,
  liveQuery: { classNames: ['Reading'] },
  logLevel: 'error',
  cloud: (Parse) => {
    Parse.Cloud.define('add', ({ params }) => Number(params['a']) + Number(params['b']))
    Parse.Cloud.define('look', ({ params }) => toil(params, lookSql))
    Parse.Cloud.define('note', ({ params }) => toil(params, noteSql))
  },
})
await parse.start()
await ParseServer.createLiveQueryServer(http, { appId, serverURL: url, logLevel: 'error' })

const admin = { 'X-Parse-Application-Id': appId, 'X-Parse-Master-Key': masterKey, 'Content-Type': 'application/json' }
await declareClass('Author', { name: 'String', avatar: 'String' })
await declareClass('Item', fields, { author: { type: 'Pointer', targetClass: 'Author' } })
await declareClass('Reading', { device: 'Number', value: 'Number' })
await fill()
process.stdout.write(`${JSON.stringify({ url, headers: { 'X-Parse-Application-Id': appId } })}\n`)

async function declareClass(name: string, columns: Record<string, string>, pointers: object = {}): Promise<void> {
  const declared = Object.fromEntries(Object.entries(columns).map(([column, type]) => [column, { type }]))
  const open = { '*': true }
  const answer = await fetch(`${url}/schemas/${name}`, {
    method: 'POST',
    headers: admin,
    body: JSON.stringify({
      className: name,
      fields: { ...declared, ...pointers },
      classLevelPermissions: { find: open, get: open, count: open, create: open, update: open },
    }),
  })
  if (!answer.ok) throw new Error(`Parse Server refused class ${name}: ${await answer.text()}`)
}

/** The same rows as Pando's, straight into the tables; object ids are the numbers, so that a row is found by key. */
async function fill(): Promise<void> {
  const client = new pg.Client(databaseURI)
  await client.connect()
  await client.query(
    `insert into "Author" ("objectId", "createdAt", "updatedAt", name, avatar, _rperm, _wperm)
     select n::text, now(), now(), 'Author ' || n, 'https://cdn.example/avatars/' || n || '.png', '{*}', '{}'
     from generate_series(1, 1000) n on conflict do nothing`,
  )
  await client.query(
    `insert into "Item" ("objectId", "createdAt", "updatedAt", key, title, body, score, "isPublic", author, _rperm, _wperm)
     select n::text, timestamptz '2026-01-01' + n * interval '1 second', now(), n, 'Item ' || n,
       repeat('words of item ' || n || ' ', 8), n % 5000, n % 2 = 0, (1 + n % 1000)::text, '{*}', '{}'
     from generate_series(1, $1::integer) n on conflict do nothing`,
    [rows],
  )
  await client.query('create index if not exists item_score on "Item" (score)')
  await client.query('create unique index if not exists item_key on "Item" (key)')
  await client.query('analyze')
  await client.end()
}
