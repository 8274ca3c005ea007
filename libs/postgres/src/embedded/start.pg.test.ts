import { readFileSync, statSync } from 'node:fs'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'
import { Client, type QueryResultRow } from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeTemporaryFolder } from '../testing/temporary-folder.ts'
import { startEmbeddedPostgres, type EmbeddedPostgres, type EmbeddedPostgresOptions } from './start.ts'

let root: string
let started: EmbeddedPostgres[]
beforeEach(async () => {
  root = await makeTemporaryFolder('pando-embedded-')
  started = []
})
afterEach(async () => {
  await Promise.all(started.map((server) => server.stop()))
  await rm(root, { recursive: true, force: true })
})

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataFolder: path.join(root, 'postgres'), durable: false, ...options })
  started.push(server)
  return server
}

async function query<Row extends QueryResultRow>(url: string, text: string): Promise<Row[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}

test('the first start makes the cluster, the next one finds it again', async () => {
  const first = await start()
  expect(first.created).toBe(true)
  await query(first.url, 'create table kept as select 42 as answer')
  await first.stop()
  const second = await start()
  expect(second.created).toBe(false)
  expect(second.url).toBe(first.url)
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }])
})

test('the cluster is as services expect it, and durable unless told otherwise', async () => {
  const { url } = await start({ durable: true })
  const [row] = await query(
    url,
    `select current_user as superuser, current_database() as database,
      current_setting('wal_level') as wal_level, current_setting('fsync') as fsync,
      current_setting('synchronous_commit') as synchronous_commit,
      current_setting('shared_preload_libraries') as preloaded, current_setting('timezone') as timezone,
      current_setting('password_encryption') as password_encryption, current_setting('listen_addresses') as listen,
      pg_encoding_to_char(encoding) as encoding, to_tsvector('simple', 'Größe') @@ to_tsquery('simple', 'größe') as letters
    from pg_database where datname = current_database()`,
  )
  expect(row).toEqual({
    superuser: 'supabase_admin',
    database: 'postgres',
    wal_level: 'logical',
    fsync: 'on',
    synchronous_commit: 'on',
    preloaded: 'pg_stat_statements',
    timezone: 'UTC',
    password_encryption: 'scram-sha-256',
    listen: '',
    encoding: 'UTF8',
    letters: true,
  })
})

test('a logical replication slot can be made', async () => {
  const { url } = await start()
  const sql = `select slot_name from pg_create_logical_replication_slot('probe', 'pgoutput', true)`
  expect(await query(url, sql)).toEqual([{ slot_name: 'probe' }])
})

test('settings of the caller win, and alter system wins over both', async () => {
  const first = await start({ settings: { work_mem: '7MB', 'pando.note': "it's a \\ 'note'" } })
  const sql = `select current_setting('work_mem') as work_mem, current_setting('pando.note') as note`
  expect(await query(first.url, sql)).toEqual([{ work_mem: '7MB', note: "it's a \\ 'note'" }])
  await query(first.url, `alter system set work_mem = '9MB'`)
  await first.stop()
  const second = await start({ settings: { work_mem: '7MB', 'pando.note': '' } })
  expect(await query(second.url, sql)).toEqual([{ work_mem: '9MB', note: '' }])
})

test('with a port it listens on loopback too, and both ways need the password', async () => {
  const { url, tcpUrl, port } = await start({ port: 0 })
  expect(tcpUrl).toContain(`@127.0.0.1:${port}/`)
  expect(await query(String(tcpUrl), 'select inet_server_addr()::text as address')).toEqual([
    { address: '127.0.0.1/32' },
  ])
  for (const good of [url, String(tcpUrl)]) {
    const bad = new URL(good)
    bad.password = 'guess'
    await expect(query(bad.href, 'select 1')).rejects.toThrow('password authentication failed')
  }
})

test('the password and the data are closed to others', async () => {
  await start()
  for (const [name, mode] of [
    ['password', 0o600],
    ['data', 0o700],
    ['sockets', 0o700],
  ] as const) {
    expect([name, statSync(path.join(root, 'postgres', name)).mode & 0o777]).toEqual([name, mode])
  }
})

test('a busy port is named', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as AddressInfo
  await expect(start({ port })).rejects.toMatchObject({
    code: 'port_in_use',
    message: expect.stringMatching(new RegExp(`port ${port} .*choose another port`)),
  })
  holder.close()
  expect((await start({ port })).port).toBe(port)
})

test('this process is told when it starts the same folder twice', async () => {
  await start()
  await expect(start()).rejects.toMatchObject({ code: 'folder_in_use', message: expect.stringMatching('this process') })
})

test.each([
  ['longer than a socket may be named', 'x'.repeat(120)],
  ['with blanks, commas and quotes', `a b, c's "d" %41 é`],
])('a folder %s works', async (_, name) => {
  const dataFolder = path.join(root, name, 'postgres')
  const first = await start({ dataFolder })
  await query(first.url, 'create table kept ()')
  expect(Buffer.byteLength(`${first.socketFolder}/.s.PGSQL.65535`)).toBeLessThanOrEqual(107)
  await first.stop()
  const second = await start({ dataFolder })
  expect(second.socketFolder).toBe(first.socketFolder)
  expect(await query(second.url, 'select count(*)::int as columns from kept')).toEqual([{ columns: 0 }])
  if (!first.socketFolder.startsWith(root)) await rm(first.socketFolder, { recursive: true })
})

test('a cluster of another version, or one without its password, is not touched', async () => {
  const first = await start()
  await first.stop()
  const version = path.join(root, 'postgres/data/PG_VERSION')
  const { uid, gid } = await stat(version)
  await writeFile(version, '17\n')
  await expect(start()).rejects.toMatchObject({
    code: 'unusable_folder',
    message: expect.stringMatching('PostgreSQL 17'),
  })
  await writeFile(version, '18\n')
  const password = path.join(root, 'postgres/password')
  const text = await readFile(password)
  await rm(password)
  await expect(start()).rejects.toThrow(/password, cannot be read/)
  await writeFile(password, text)
  expect((await stat(version)).uid).toBe(uid)
  expect((await stat(version)).gid).toBe(gid)
  expect((await start()).created).toBe(false)
})

test('a half made cluster is made again', async () => {
  await mkdir(path.join(root, 'postgres/data.new'), { recursive: true })
  await writeFile(path.join(root, 'postgres/data.new/PG_VERSION'), '18\n')
  await writeFile(path.join(root, 'postgres/password'), 'of a start that was killed')
  const { url } = await start()
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }])
})

test('settings that PostgreSQL refuses are told in its words, and the folder is free again', async () => {
  await expect(start({ settings: { shared_buffers: 'plenty' } })).rejects.toMatchObject({
    code: 'start_failed',
    message: expect.stringMatching('invalid value for parameter "shared_buffers"'),
  })
  await start()
})

test('the log reaches the caller', async () => {
  const lines: string[] = []
  const server = await start({ onLog: (line) => lines.push(line) })
  await server.stop()
  expect(lines.join('\n')).toMatch(/ready to accept connections[\s\S]*database system is shut down/)
  expect(readFileSync(path.join(root, 'postgres/data/PG_VERSION'), 'utf8')).toBe('18\n')
})
