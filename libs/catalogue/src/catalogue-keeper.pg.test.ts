import { createDatabase } from '@pando/postgres/database'
import { listen } from '@pando/postgres/listen'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createCatalogueKeeper } from './catalogue-keeper.ts'
import type { CatalogueKeeper } from './catalogue-keeper.ts'
import { nameKey } from './catalogue.ts'
import type { Catalogue } from './catalogue.ts'
import { loadCatalogue, loadInDatabaseConfig } from './load-catalogue.ts'
import { openMuseum } from './testing/museum.ts'
import type { Museum } from './testing/museum.ts'

let museum: Museum
let keeper: CatalogueKeeper
let close: () => Promise<void>
let arrivals: PromiseWithResolvers<Catalogue>

beforeAll(async () => {
  museum = await openMuseum()
  const url = museum.url('authenticator')
  const database = createDatabase({ url, applicationName: 'catalogue test' })
  const scope = { schemas: ['api'], extraSearchPath: [] }
  arrivals = Promise.withResolvers()
  keeper = createCatalogueKeeper({
    load: (context) => database.transaction(({ query }) => loadCatalogue(query, { ...scope, ...context })),
    loadConfig: () => loadInDatabaseConfig(database.query),
    listen: (events) => listen({ url, applicationName: 'catalogue listener', ...events }),
    onLoaded: (catalogue) => arrivals.resolve(catalogue),
  })
  await keeper.start()
  close = async () => {
    await keeper.stop()
    await database.close()
    await museum.close()
  }
})

afterAll(() => close())

/** The next catalogue that comes after doing this. */
async function nextAfter(sql: string): Promise<Catalogue> {
  arrivals = Promise.withResolvers()
  await museum.sql(sql)
  return arrivals.promise
}

test('a migration that says so is followed', async () => {
  expect(keeper.current()?.relations.has(nameKey({ schema: 'api', name: 'guides' }))).toBe(false)
  const next = await nextAfter(`create table api.guides (id integer primary key); notify pgrst, 'reload schema'`)
  expect(next.relations.has(nameKey({ schema: 'api', name: 'guides' }))).toBe(true)
  expect(next.timezones).toBe(keeper.current()?.timezones)
})

test('a change of the configuration is followed without reading everything', async () => {
  const before = await nextAfter(`notify pgrst`)
  const next = await nextAfter(`
    alter role authenticator in database postgres set pgrst.db_max_rows = '5';
    notify pgrst, 'reload config'`)
  expect(next.inDatabaseConfig.get('db_max_rows')).toBe('5')
  expect(next.relations).toBe(before.relations)
})

test('a listener whose connection dies comes back and looks again', async () => {
  const next = await nextAfter(`
    create table api.unheard (id integer primary key);
    select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'catalogue listener'`)
  expect(next.relations.has(nameKey({ schema: 'api', name: 'unheard' }))).toBe(true)
})
