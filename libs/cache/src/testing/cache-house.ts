import type { ChangeReader } from '@pando/changes/reader'
import { createTestReader, type TestReader } from '@pando/changes/testing/test-reader'
import { systemClock } from '@pando/core/clock'
import { createDatabase, type Database } from '@pando/postgres/database'
import { mustParseLsn, type Lsn } from '@pando/postgres/lsn'
import type { Sources } from '../analyses.ts'
import { cacheOptions, type CacheValues } from '../config.ts'
import type { CacheObservation } from '../observation.ts'
import type { Answered, CachedRead } from '../cached-read.ts'
import { createResponseCache, type ResponseCache } from '../response-cache.ts'
import type { SharedStore } from '../shared-store.ts'
import type { Witness } from '../witness.ts'

/** The defaults, on, and quick enough that tests need not wait. */
const quickOptions: CacheValues = {
  ...(Object.fromEntries(
    Object.entries(cacheOptions.options).map(([name, option]) => [name, option.default]),
  ) as CacheValues),
  mode: 'tables',
  pulse: 10,
  lagMax: 20_000,
}

export type CacheHouseOptions = {
  readonly url: string
  readonly options?: Partial<CacheValues>
  readonly shared?: SharedStore
  /** Makes the cache hear something else than what the reader says. */
  readonly spoil?: (reader: ChangeReader) => Pick<ChangeReader, 'place' | 'subscribe'>
  /** What the cache believes that each read could see, instead of what it could. */
  readonly forge?: () => string
}

/** A cache over `counters (id, n)`, with the log that it follows. */
export type CacheHouse = {
  readonly cache: ResponseCache
  readonly reader: TestReader
  readonly database: Database
  readonly observations: readonly CacheObservation[]
  /** The counters that Postgres was asked for, in order. */
  readonly reads: readonly number[]
  /** The counter as the cache shows it. */
  read(id: number, asked?: Partial<CachedRead>): Promise<Answered & { readonly n: number }>
  /** What would be given to somebody who is refused. */
  stale(id: number, asked?: Partial<CachedRead>): Answered | undefined
  /** Adds one; what it is then, and a place in the log behind that. */
  add(id: number): Promise<{ readonly n: number; readonly lsn: Lsn }>
  stop(): Promise<void>
}

const counters: Sources = {
  root: { schema: 'public', name: 'counters' },
  relations: [{ schema: 'public', name: 'counters' }],
}

export const countersSql = `
  create table counters (id int primary key, n int not null);
  insert into counters select generate_series(1, 20), 0;
  create publication pando_cache for table counters;`

export async function openCacheHouse(house: CacheHouseOptions): Promise<CacheHouse> {
  const { url, spoil = (reader: ChangeReader) => reader } = house
  const database = createDatabase({ url, applicationName: 'test', connectionsMax: 10 })
  const reader = createTestReader({ url, publications: ['pando_cache'] })
  const observations: CacheObservation[] = []
  const reads: number[] = []
  const cache = createResponseCache({
    options: { ...quickOptions, ...house.options },
    reader: spoil(reader),
    database,
    shared: house.shared,
    clock: systemClock,
    observe: (observation) => observations.push(observation),
  })
  const [{ role }] = (await database.query('select current_user::text as role')) as [{ role: string }]
  const caller = { role, claims: {}, claimsJson: '{}' }
  const readNow = (id: number) => async (witness?: Witness) =>
    database.withClient(async (client) => {
      reads.push(id)
      const before = witness && (await client.query<Record<string, string>>(witness.before.text))
      const [row] = await client.query<{ n: number }>('select n from counters where id = $1', [id])
      const after =
        witness && (await client.query<Record<string, string>>(witness.after.text, [...witness.after.params]))
      witness?.testify(house.forge?.() ?? cellOf(before!), cellOf(after!))
      return { pageRows: 1, body: String(row!.n) }
    })
  const toAsked = (id: number, asked?: Partial<CachedRead>): CachedRead => {
    const directives = { maxAgeMs: undefined, noCache: false, noStore: false }
    return { name: `a counter ${id}`, sources: counters, caller, needs: 0n, directives, ...asked }
  }
  cache.start()
  await reader.start()
  return {
    cache,
    reader,
    database,
    observations,
    reads,
    read: async (id, asked) => {
      const answered = await cache.read(toAsked(id, asked), readNow(id))
      return { ...answered, n: Number(answered.page.body) }
    },
    stale: (id, asked) => cache.recallStale(toAsked(id, asked)),
    add: async (id) => {
      const [row] = await database.query<{ n: number }>('update counters set n = n + 1 where id = $1 returning n', [id])
      const [place] = await database.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn')
      return { n: row!.n, lsn: mustParseLsn(place!.lsn) }
    },
    stop: async () => {
      await cache.stop()
      await reader.stop()
      await database.close()
    },
  }
}

const cellOf = ([row]: readonly Record<string, string>[]): string => Object.values(row!)[0]!
