import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { createDatabase } from '@pando/postgres/database'
import { loginUrl } from '@pando/postgres/login'
import { startScratchCluster } from '@pando/postgres/testing/scratch-cluster'
import type { ScratchCluster } from '@pando/postgres/testing/scratch-cluster'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import { runPando, startServe } from '../testing/run-pando.ts'
import type { RunningNode } from '../testing/run-pando.ts'

const jwtSecret = 'a secret of this deployment alone, long enough'

let cwd: string
let cluster: ScratchCluster
const nodes: RunningNode[] = []

beforeAll(async () => {
  cwd = await makeTemporaryFolder('pando-serve-')
})
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop()
  await cluster?.stop()
})
afterAll(() => rmSync(cwd, { recursive: true }))

const environment = (url: string) => ({
  DATABASE_URL: url,
  PANDO_JWT_SECRET: jwtSecret,
  PANDO_SERVER_DRAIN_DELAY: '0',
})

function start(url: string, ...args: string[]): RunningNode {
  const node = startServe(['--port', '0', ...args], { cwd, env: environment(url) })
  nodes.push(node)
  return node
}

/** How a node ends that does not start. */
const refuse = (url: string) => runPando(['serve', '--port', '0'], { cwd, env: environment(url) })

const get = async (url: string, path: string) => (await fetch(`${url}/rest/v1/${path}`)).status

async function run(url: string, sql: string): Promise<void> {
  const database = createDatabase({ url, applicationName: 'test', connectionsMax: 1 })
  await database.query(sql)
  await database.close()
}

const note = `create table public.notes (id int primary key); grant select on public.notes to anon`

describe('pando serve', () => {
  it('prepares a fresh server before it listens, several nodes at once, and serves', async () => {
    cluster = await startScratchCluster({ sql: 'create database app' })
    const url = loginUrl(cluster.url, { database: 'app' })
    const urls = await Promise.all([start(url), start(url)].map((node) => node.url))
    expect(await Promise.all(urls.map((each) => get(each, 'notes')))).toEqual([404, 404])
    await run(url, note)
    expect(await get(await start(url).url, 'notes')).toBe(200)
    const lines = nodes.flatMap((node) => node.lines())
    expect(lines.filter(({ level }) => level !== 'info')).toEqual([])
  })

  it('prepares the database once for all its workers, each of which serves', async () => {
    cluster = await startScratchCluster({ sql: 'create database app' })
    const url = loginUrl(cluster.url, { database: 'app' })
    const node = start(url, '--workers', '2')
    const api = await node.url
    await run(url, note)
    const started = (): number => node.lines().filter(({ msg }) => msg === 'all workers have started').length
    await expect.poll(started, { timeout: 30_000 }).toBe(1)
    // Connections go to the workers in turn.
    for (let count = 0; count < 4; count += 1) await expect.poll(() => get(api, 'notes'), { timeout: 10_000 }).toBe(200)
    expect(node.lines().filter(({ level }) => level !== 'info')).toEqual([])
  })

  it('goes on with a warning where a newer version was before', async () => {
    cluster = await startScratchCluster()
    await start(cluster.url).url
    await run(cluster.url, "insert into pando.migrations values ('conventions', '9999-later.sql', 'x')")
    const node = start(cluster.url)
    expect(await get(await node.url, 'notes')).toBe(404)
    expect(node.warnings()).toEqual([expect.stringMatching(/newer version.*conventions\/9999-later\.sql.*goes on/)])
  })

  it('says which right is missing and what to run, and then starts', async () => {
    cluster = await startScratchCluster({ sql: 'create database app' })
    await run(cluster.url, "create role weak login password 'open'")
    const weak = cluster.urlAs('weak', 'app')
    const { code, err } = await refuse(weak)
    expect({ code, err }).toEqual({
      code: 4,
      err:
        '✗ User "weak" may not prepare the database "app": it may not create roles and it does not own the database. ' +
        'Connect as a superuser, or as one run: alter role "weak" createrole; alter database "app" owner to "weak".\n',
    })
    await run(cluster.url, 'alter role weak createrole; alter database app owner to weak')
    const node = start(weak)
    expect(await get(await node.url, 'notes')).toBe(404)
    // What only a superuser can do is left out, and said once; that changes of rows are not told without it, each time.
    expect(node.warnings()).toContainEqual(expect.stringMatching(/0004-.*not announced.*notify pgrst, 'reload schema'/))
    expect(await get(await start(weak).url, 'notes')).toBe(404)
    expect(nodes.at(-1)?.warnings()).toEqual([expect.stringMatching(/log of changes is not read/)])
  })

  it('says what a user who may nothing needs to run a node on a prepared database', async () => {
    cluster = await startScratchCluster({ sql: `create role weak login password 'open'` })
    await start(cluster.url).url
    const { code, err } = await refuse(cluster.urlAs('weak'))
    expect({ code, err }).toEqual({
      code: 4,
      err: expect.stringContaining('grant select on pando.migrations to "weak"'),
    })
  })

  it('says that requests cannot log in, and never changes a password that is there', async () => {
    cluster = await startScratchCluster({ sql: "create role authenticator login password 'of somebody else'" })
    const { code, err } = await refuse(cluster.url)
    expect({ code, err }).toEqual({
      code: 4,
      err: expect.stringMatching(/^✗ Requests cannot log in .* as authenticator: .*\n.*PANDO_DATABASE_API_URL/),
    })
    expect(await refuse(cluster.url)).toMatchObject({ code: 4 })
  })

  it('leaves the migrations of its project alone and says that they are due', async () => {
    cluster = await startScratchCluster()
    const project = join(cwd, 'project')
    mkdirSync(join(project, 'pando', 'migrations'), { recursive: true })
    writeFileSync(join(project, 'pando', 'config.toml'), '')
    writeFileSync(join(project, 'pando', 'migrations', '20300101000000_notes.sql'), note)
    const node = start(cluster.url, '--project', project)
    expect(await get(await node.url, 'notes')).toBe(404)
    expect(node.warnings()).toEqual(['1 migration to apply (20300101000000_notes.sql): run `pando migrate up`'])
    const up = await runPando(['migrate', 'up', '--project', project], { cwd, env: environment(cluster.url) })
    expect(up).toMatchObject({ code: 0 })
    const next = start(cluster.url, '--project', project)
    expect(await get(await next.url, 'notes')).toBe(200)
    expect(next.warnings()).toEqual([])
  })
})
