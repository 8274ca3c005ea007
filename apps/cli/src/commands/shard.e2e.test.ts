import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { stubCitus } from '@pando/sharding/testing/stub-citus'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { runPando } from '../testing/run-pando.ts'

let database: TestDatabase
let cwd: string
beforeAll(async () => {
  cwd = await makeTemporaryFolder('pando-shard-')
  mkdirSync(join(cwd, 'pando'))
  database = await createTestDatabase({
    sql: `
      create table public.tenants (id uuid primary key);
      create table public.boats (tenant_id uuid not null references public.tenants, id int primary key);
      alter table public.boats enable row level security;
      create policy own on public.boats using (tenant_id = (select auth.uid()));`,
  })
})
afterAll(async () => {
  rmSync(cwd, { recursive: true })
  await database?.close()
})

const pando = (...args: string[]) => runPando(args, { cwd, env: { DATABASE_URL: database.url } })
const declare = (text: string) => writeFileSync(join(cwd, 'pando', 'config.toml'), text)

it('a project that declares no key is told how', async () => {
  declare('')
  const { code, err } = await pando('shard', 'plan')
  expect(code).toBe(3)
  expect(err).toContain('[shard] key = "tenant_id"')
})

it('a mistyped setting is a mistake, a table under shard.keys is none', async () => {
  declare('[shard]\nkye = "tenant_id"\n[shard.keys]\ntenants = "id"\n')
  const { err } = await pando('shard', 'plan')
  expect(err).toContain('a mistake')
  expect(err).toContain('shard.kye is not a setting of Pando; perhaps you meant shard.key')
})

it('a plan is made without Citus; it names what stands in the way, and what to do', async () => {
  declare('[shard]\nkey = "tenant_id"\n[shard.keys]\ntenants = "id"\n')
  const { code, out } = await pando('shard', 'plan')
  expect(code).toBe(1)
  expect(out).toMatch(/^tenants +by id +to do +declared in shard.keys$/m)
  expect(out).toMatch(/^boats +by tenant_id, beside tenants +refused +has tenant_id$/m)
  expect(out).toContain('boats: its primary key boats_pkey does not include tenant_id')
  expect(out).toContain('alter policy "own" on "public"."boats" using ((tenant_id = auth.uid()));')
  expect(out).toContain('This server has no Citus')
  expect(await pando('shard', 'apply', '--yes')).toMatchObject({
    code: 4,
    err: expect.stringMatching(/There is no Citus in database .*create extension citus/s),
  })
})

it('what was mended is applied, once, and the status shows it', async () => {
  await database.run(stubCitus)
  expect(await pando('shard', 'apply', '--yes')).toMatchObject({ code: 4, err: expect.stringContaining('shard plan') })
  await database.run(`
    alter table public.boats drop constraint boats_pkey, add primary key (tenant_id, id);
    alter policy own on public.boats using (tenant_id = auth.uid());`)
  const plan = JSON.parse((await pando('shard', 'plan', '--json')).out)
  expect(plan).toMatchObject({
    isReady: true,
    citus: { workers: [{ name: 'worker.example', isActive: true }] },
    statements: [
      expect.stringMatching(/^alter role "anon" login$/),
      expect.stringMatching(/^alter role "authenticated" login$/),
      expect.stringMatching(/^alter role "service_role" login$/),
      expect.stringContaining('create_distributed_table(\'"public"."tenants"\''),
      expect.stringContaining('create_distributed_table(\'"public"."boats"\''),
    ],
  })
  // Roles are shared by all databases of the test cluster: only the tables are moved here.
  const { code, err } = await pando('shard', 'apply')
  expect([code, err]).toEqual([2, expect.stringContaining('Run it again with --yes')])
})
