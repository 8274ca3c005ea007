import { chmod, chown, lstat, mkdir, mkdtemp, readlink, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { holdCluster } from '../testing/held-cluster.ts'
import { makeTemporaryFolder } from '../testing/temporary-folder.ts'
import { canReach, chooseAccount } from './account.ts'
import { copyBinaries, findBinaries } from './binaries.ts'
import { ensureCluster } from './cluster.ts'
import { listLeftovers, prepareHome } from './home-folder.ts'
import { startEmbeddedPostgres } from './start.ts'

/** An account that is in every /etc/passwd and owns nothing. */
const nobody = { name: 'nobody', uid: 65_534, gid: 65_534 }
const isRoot = process.getuid?.() === 0
const canBecomeNobody =
  isRoot && (await canReach(nobody, process.execPath)) && (await canReach(nobody, import.meta.dirname))

let open: string
let closed: string
let shelterFolder: string
beforeEach(async () => {
  open = await makeTemporaryFolder('pando-account-')
  // Below the home of root, which is closed to others.
  closed = await mkdtemp(path.join(homedir(), '.pando-test-'))
  shelterFolder = path.join(open, 'shelter')
})
afterEach(async () => {
  await rm(open, { recursive: true, force: true })
  await rm(closed, { recursive: true, force: true })
})

async function currentUser(url: string): Promise<unknown> {
  const client = new Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query('select current_user')
  await client.end()
  return rows[0]
}

test.runIf(isRoot)('root runs the server as an unprivileged user, and as the same one later', async () => {
  const dataFolder = path.join(open, 'postgres')
  const server = await startEmbeddedPostgres({ dataFolder, durable: false, shelterFolder })
  const { uid } = await stat(`/proc/${server.pid}`)
  await server.stop()
  expect(uid).not.toBe(0)
  expect(await chooseAccount(path.join(dataFolder, 'data'))).toMatchObject({ uid })
})

test.runIf(isRoot)('a project below the home of root gets a shelter that its server can reach', async () => {
  const dataFolder = path.join(closed, 'trip/.pando/postgres')
  const options = { dataFolder, durable: false, shelterFolder }
  const first = await startEmbeddedPostgres(options)
  expect(await currentUser(first.url)).toEqual({ current_user: 'supabase_admin' })
  await first.stop()
  expect((await lstat(dataFolder)).isSymbolicLink()).toBe(true)
  expect(path.basename(await readlink(dataFolder))).toMatch(/^trip-[0-9a-f]{12}$/)
  const second = await startEmbeddedPostgres(options)
  await second.stop()
  expect([first.created, second.created]).toEqual([true, false])
  expect(await listLeftovers(shelterFolder)).toEqual([])

  await rm(path.dirname(dataFolder), { recursive: true })
  expect(await listLeftovers(shelterFolder)).toMatchObject([{ origin: dataFolder }])
  const third = await startEmbeddedPostgres(options)
  await third.stop()
  expect(third.created).toBe(true)
})

test.runIf(isRoot)('binaries that the user cannot reach are copied once', async () => {
  const binaries = await copyBinaries(await findBinaries(), closed)
  await chmod(closed, 0o700)
  const home = await prepareHome(path.join(closed, 'postgres'), binaries, shelterFolder)
  expect(path.dirname(home.binaries.root)).toBe(shelterFolder)
  expect((await ensureCluster(home, { durable: false })).created).toBe(true)
  const { ino } = await stat(home.binaries.postgres)
  const again = await prepareHome(path.join(closed, 'postgres'), binaries, shelterFolder)
  expect((await stat(again.binaries.postgres)).ino).toBe(ino)
})

test.runIf(isRoot)('a shelter that others may write to is refused', async () => {
  await mkdir(shelterFolder)
  await chmod(shelterFolder, 0o777)
  const starting = startEmbeddedPostgres({ dataFolder: path.join(closed, 'postgres'), durable: false, shelterFolder })
  await expect(starting).rejects.toMatchObject({ code: 'unusable_folder', facts: { folder: shelterFolder } })
})

test.runIf(isRoot)('a folder with something else in it is never emptied', async () => {
  await mkdir(path.join(closed, 'postgres/precious'), { recursive: true })
  const starting = startEmbeddedPostgres({ dataFolder: path.join(closed, 'postgres'), durable: false, shelterFolder })
  await expect(starting).rejects.toMatchObject({ code: 'no_account' })
  expect((await stat(path.join(closed, 'postgres/precious'))).isDirectory()).toBe(true)
})

test.runIf(canBecomeNobody)('a normal user runs the server as itself, and not a database of another', async () => {
  await chown(open, nobody.uid, nobody.gid)
  const dataFolder = path.join(open, 'postgres')
  const held = await holdCluster({ dataFolder, durable: false }, nobody)
  expect(held.answer.message).toBe(undefined)
  expect((await stat(`/proc/${held.answer.pid}`)).uid).toBe(nobody.uid)
  expect(await currentUser(held.answer.url)).toEqual({ current_user: 'supabase_admin' })
  await held.stop()

  await chown(path.join(dataFolder, 'data'), 1, 1)
  const refused = await holdCluster({ dataFolder, durable: false }, nobody)
  expect(refused.answer).toMatchObject({
    code: 'unusable_folder',
    message: expect.stringContaining('belongs to user id 1, and this program runs as 65534'),
  })
})
