import { readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeTemporaryFolder } from '../testing/temporary-folder.ts'
import { ended, holdCluster, killHard, watchdogsOf, type HeldCluster } from '../testing/held-cluster.ts'
import { identifyProcess } from './process-identity.ts'
import { startEmbeddedPostgres, type EmbeddedPostgres } from './start.ts'

let root: string
let dataFolder: string
let stops: (() => Promise<void>)[]
beforeEach(async () => {
  root = await makeTemporaryFolder('pando-recovery-')
  dataFolder = path.join(root, 'postgres')
  stops = []
})
afterEach(async () => {
  for (const stop of stops) await stop()
  await rm(root, { recursive: true, force: true })
})

/** Starts here, in this process. */
async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataFolder })
  stops.push(server.stop)
  return server
}

/** Starts in a process of its own, with one committed row. */
async function startElsewhere(): Promise<HeldCluster> {
  const held = await holdCluster({ dataFolder, program: 'the other program' })
  expect(held.answer.message).toBe(undefined)
  await withClient(held.answer.url, (client) => client.query('create table kept as select 1 as id'))
  return held
}

async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

const rowsKept = (url: string): Promise<unknown> =>
  withClient(url, async (client) => (await client.query('select id from kept order by id')).rows)

test('a second start names the program that holds the folder, and leaves it alone', async () => {
  const held = await startElsewhere()
  await expect(startEmbeddedPostgres({ dataFolder })).rejects.toMatchObject({
    code: 'folder_in_use',
    message: expect.stringContaining(`process ${held.child.pid} (the other program)`),
    facts: { pid: held.child.pid },
  })
  expect(await rowsKept(held.answer.url)).toEqual([{ id: 1 }])
  await held.stop()
  expect(await rowsKept((await start()).url)).toEqual([{ id: 1 }])
})

test('PostgreSQL ends when the program that runs it is killed', async () => {
  const held = await startElsewhere()
  await killHard(held.child.pid)
  await ended(held.answer.pid)
  expect(await rowsKept((await start()).url)).toEqual([{ id: 1 }])
})

test('after everything was killed the next start recovers what was committed', async () => {
  const held = await startElsewhere()
  await withClient(held.answer.url, async (client) => {
    await client.query('insert into kept values (2)')
    await client.query('begin')
    await client.query('insert into kept values (3)')
    await killHard(...watchdogsOf(held.child.pid), held.child.pid, held.answer.pid)
  })
  expect((await stat(path.join(dataFolder, 'data/postmaster.pid'))).isFile()).toBe(true)
  expect(await rowsKept((await start()).url)).toEqual([{ id: 1 }, { id: 2 }])
})

test('a server that outlived its program is stopped and started anew', async () => {
  const held = await startElsewhere()
  await killHard(...watchdogsOf(held.child.pid), held.child.pid)
  expect(identifyProcess(held.answer.pid)).toBeDefined()
  const server = await start()
  expect(identifyProcess(held.answer.pid)).toBe(undefined)
  expect(server.pid).not.toBe(held.answer.pid)
  expect(await rowsKept(server.url)).toEqual([{ id: 1 }])
})

test('numbers that now belong to other programs hold nothing', async () => {
  const first = await start()
  const pidFile = path.join(dataFolder, 'data/postmaster.pid')
  const [, ...lines] = (await readFile(pidFile, 'utf8')).split('\n')
  const socketLock = path.join(first.socketFolder, '.s.PGSQL.5432.lock')
  await first.stop()
  const stranger = process.ppid
  await writeFile(pidFile, [stranger, ...lines].join('\n'))
  await writeFile(socketLock, [stranger, ...lines].join('\n'))
  await writeFile(path.join(dataFolder, 'lock'), JSON.stringify({ pid: stranger, startedAs: 'long ago', program: 'x' }))
  const second = await start()
  expect(await withClient(second.url, async (client) => (await client.query('select 1 as one')).rows)).toEqual([
    { one: 1 },
  ])
})

test('a torn lock file holds nothing', async () => {
  await (await start()).stop()
  await writeFile(path.join(dataFolder, 'lock'), '{"pid": 1')
  expect((await start()).created).toBe(false)
})

test('a server that dies is told, and can be started again after stop', async () => {
  const first = await start()
  process.kill(first.pid, 'SIGKILL')
  expect(await first.crashed).toMatchObject({ code: 'start_failed', message: expect.stringContaining('SIGKILL') })
  await first.stop()
  await start()
})
