import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { runPando, startDev } from '../testing/run-pando.ts'
import type { DevEvent, RunningDev } from '../testing/run-pando.ts'

const freePorts = ['--port', '0', '--db-port', '0']
let cwd: string
let dev: RunningDev | undefined

const pando = (...args: string[]) => runPando(args, { cwd })
const migration = (name: string) => join(cwd, 'pando', 'migrations', name)

beforeAll(async () => {
  cwd = await makeTemporaryFolder('pando-dev-')
  await pando('init')
})
afterEach(async () => {
  dev?.kill('SIGKILL')
  await dev?.end
})
afterAll(() => rmSync(cwd, { recursive: true }))

async function start(): Promise<DevEvent> {
  dev = startDev(freePorts, { cwd })
  return await dev.next('ready')
}

async function stop(): Promise<void> {
  dev?.kill('SIGINT')
  expect(await dev?.end).toBe(0)
}

/** What the API answers for a path, as an app asks. */
async function request(ready: DevEvent, path: string): Promise<{ status: number; body: unknown }> {
  const key = String(ready['PUBLISHABLE_KEY'])
  const response = await fetch(`${String(ready['API_URL'])}${path}`, { headers: { apikey: key } })
  return { status: response.status, body: await response.json() }
}

/** The same once the schema cache has followed and broken connections are made again; both take a moment. */
async function eventually(ready: DevEvent, path: string, status = 200): Promise<unknown> {
  const answer = await request(ready, path)
  if (answer.status === status) return answer.body
  await sleep(20)
  return eventually(ready, path, status)
}

describe('pando dev', () => {
  it('serves a new project with its first migration and seed, and stops cleanly', async () => {
    const ready = await start()
    expect(await request(ready, '/rest/v1/notes?select=body')).toEqual({
      status: 200,
      body: [{ body: 'Hello from Pando' }],
    })
    // What the page at `/` shows, live.
    const metrics = await fetch(`${String(ready['API_URL'])}/metrics`)
    expect(await metrics.text()).toMatch(/^http_request_duration_seconds_count\{service="rest".* [1-9]/m)
    await dev?.next('types')
    expect(readFileSync(join(cwd, 'database.types.ts'), 'utf8')).toContain('notes: {')
    await stop()
    expect(JSON.parse((await pando('status', '--json')).out)).toMatchObject({ running: false })
  })

  it('follows saved migrations, shows a failing one and goes on', async () => {
    const ready = await start()
    writeFileSync(
      migration('30000101000000_trips.sql'),
      'create table public.trips (id int primary key);\ngrant select on public.trips to anon;\n',
    )
    await dev?.next('migrated')
    expect(await eventually(ready, '/rest/v1/trips')).toEqual([])
    await dev?.next('types')

    writeFileSync(
      migration('30000102000000_broken.sql'),
      'create table public.half (id int);\nselect * form public.trips;\n',
    )
    const failed = await dev?.next('failed')
    expect(failed).toMatchObject({
      reason: 'database',
      message: expect.stringMatching(/^pando\/migrations\/30000102000000_broken\.sql:2:10\n[^]*\^/),
    })
    expect((await request(ready, '/rest/v1/half')).status).toBe(404)

    writeFileSync(migration('30000102000000_broken.sql'), 'alter table public.trips add column title text;\n')
    await dev?.next('migrated')
    expect(await eventually(ready, '/rest/v1/trips?select=title')).toEqual([])
    await dev?.next('types')
    expect(readFileSync(join(cwd, 'database.types.ts'), 'utf8')).toContain('title: string | null')
    await stop()
  })

  it('survives kill -9, refuses a second dev, and resets beside a running one', async () => {
    await start()
    dev?.kill('SIGKILL')
    await dev?.end
    const ready = await start()
    expect((await request(ready, '/rest/v1/trips')).status).toBe(200)

    const second = await pando('dev', ...freePorts)
    expect(second).toMatchObject({ code: 5, err: expect.stringContaining(`pid ${dev?.pid}`) })

    writeFileSync(
      migration('30000101000000_trips.sql'),
      'create table public.trips (id bigint primary key);\ngrant select on public.trips to anon;\n',
    )
    expect(await dev?.next('failed')).toMatchObject({ message: expect.stringContaining('pando migrate reset') })
    expect((await pando('migrate', 'status')).out).toMatch(/30000101000000_trips\S* +changed/)
    expect(await pando('migrate', 'reset')).toMatchObject({ code: 2, err: expect.stringContaining('--yes') })
    const reset = JSON.parse((await pando('migrate', 'reset', '--yes', '--json')).out) as { applied: unknown[] }
    expect(reset.applied).toHaveLength(3)
    expect(await eventually(ready, '/rest/v1/notes?select=body')).toEqual([{ body: 'Hello from Pando' }])
    expect((await pando('doctor', '--json')).code).toBe(0)
    await stop()
  })

  it('says that a named database refuses the connection, without the password', async () => {
    const ready = await start()
    const url = new URL(String(ready['DB_URL']))
    url.password = 'wrong-one'
    const { code, err } = await pando('migrate', 'up', '--db-url', url.href)
    expect({ code, err }).toEqual({
      code: 4,
      err: expect.stringMatching(/^✗ Database "postgres" at 127\.0\.0\.1:\d+ refuses the connection: .*\nCheck .*\n$/),
    })
    expect(err).not.toContain('wrong-one')
    await stop()
  })

  it('says which program has a port', async () => {
    const { createServer } = await import('node:net')
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const { code, err } = await pando('dev', '--port', String(port))
    expect({ code, err }).toEqual({
      code: 5,
      err: expect.stringMatching(new RegExp(`Port ${port} is in use by .*pid ${process.pid}[^]*--port ${port + 1}`)),
    })
    server.close()
  })
})

describe('without a running dev', () => {
  it('migrates and describes the embedded database by itself', async () => {
    expect(JSON.parse((await pando('migrate', 'up', '--json')).out)).toEqual({ applied: [] })
    expect((await pando('types')).out).toContain('export type Database')
    expect((await pando('seed')).code).toBe(0)
  })

  it('shows where a seed fails, and which path of sql_paths matches nothing', async () => {
    mkdirSync(join(cwd, 'shared'))
    writeFileSync(join(cwd, 'shared', 'more.sql'), '-- more\ninsert into public.notes (body)\n  values (nothing);\n')
    const config = join(cwd, 'pando', 'config.toml')
    writeFileSync(config, '[db.seed]\nsql_paths = ["./none/*.sql", "../shared/*.sql"]\n')
    const { code, err } = await pando('seed')
    expect(code).toBe(4)
    expect(err).toContain('No file matches ./none/*.sql of [db.seed] sql_paths in config.toml.')
    expect(err).toMatch(/shared\/more\.sql:3:11\n3 \|   values \(nothing\);\n  \| {11}\^\n/)
  })
})
