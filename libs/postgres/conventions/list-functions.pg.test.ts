import * as fc from 'fast-check'
import type { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyConventions } from './apply-conventions.ts'
import { startThrowAwayCluster } from './throw-away-cluster.ts'
import type { ThrowAwayCluster } from './throw-away-cluster.ts'

type Entry = { name: string; folder: boolean }

const part = fc.constantFrom('a', 'A', 'b', 'a b', 'é', 'a.png', '-')
const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
const paths = fc.uniqueArray(path, { maxLength: 12 })
const prefix = fc.constantFrom('', 'a', 'a/', 'a/b/', 'é/')

let cluster: ThrowAwayCluster
let admin: Client

beforeAll(async () => {
  cluster = await startThrowAwayCluster()
  admin = await cluster.connect('postgres')
  await applyConventions(admin)
  await admin.query("insert into storage.buckets (id, name) values ('listed', 'listed')")
})

afterAll(() => cluster?.stop())

/** What one level must show, by sorting everything. */
function expectedLevel(names: readonly string[], below: string, descending: boolean): Entry[] {
  const level = new Map<string, Entry>()
  for (const name of names.filter((candidate) => candidate.startsWith(below))) {
    const slash = name.indexOf('/', below.length)
    if (slash < 0) level.set(name, { name, folder: false })
    else level.set(name.slice(0, slash + 1), { name: name.slice(0, slash), folder: true })
  }
  const sorted = [...level].toSorted(([one], [two]) => Buffer.compare(Buffer.from(one), Buffer.from(two)))
  return (descending ? sorted.toReversed() : sorted).map(([, entry]) => entry)
}

/** Runs with these objects in the bucket, and without them afterwards. */
async function withObjects(names: readonly string[], check: () => Promise<void>): Promise<void> {
  await admin.query('begin')
  try {
    await admin.query("insert into storage.objects (bucket_id, name) select 'listed', unnest($1::text[])", [names])
    await check()
  } finally {
    await admin.query('rollback')
  }
}

async function list(below: string, count: number, after: string, descending: boolean): Promise<Entry[]> {
  const { rows } = await admin.query(
    `select name, id is null as folder
     from storage.list_objects_with_delimiter('listed', $1, '/', $2, $3, '', $4)`,
    [below, count, after, descending ? 'desc' : 'asc'],
  )
  return rows
}

test('a level of a bucket shows each file and folder once, in byte order', async () => {
  await fc.assert(
    fc.asyncProperty(paths, prefix, fc.boolean(), fc.nat({ max: 13 }), (names, below, descending, count) =>
      withObjects(names, async () => {
        const expected = expectedLevel(names, below, descending)
        expect(await list(below, count, '', descending)).toEqual(expected.slice(0, count))
      }),
    ),
    { numRuns: 150 },
  )
})

test('the page behind an entry is what follows it', async () => {
  await fc.assert(
    fc.asyncProperty(paths, prefix, fc.boolean(), fc.nat({ max: 4 }), (names, below, descending, position) =>
      withObjects(names, async () => {
        const expected = expectedLevel(names, below, descending)
        const last = expected[position]
        // A name that is a file and a folder at once is an ambiguous cursor: it stands for the folder.
        fc.pre(last !== undefined && expected.filter(({ name }) => name === last.name).length === 1)
        expect(await list(below, 100, last.name, descending)).toEqual(expected.slice(position + 1))
      }),
    ),
    { numRuns: 150 },
  )
})

test('the older search ignores case, leaves out the prefix and pages by offset', async () => {
  await withObjects(['Trips/Oslo.png', 'trips/rome.png', 'trips/old/1.png', 'other.png'], async () => {
    const { rows } = await admin.query(
      "select name, id is null as folder from storage.search('TRIPS/', 'listed', 2, 1, 1, '', 'name', 'asc')",
    )
    expect(rows).toEqual([
      { name: 'Oslo.png', folder: false },
      { name: 'rome.png', folder: false },
    ])
  })
})

test('a search by time goes on behind a time and a name', async () => {
  await withObjects(['one', 'two', 'folder/three'], async () => {
    await admin.query(`update storage.objects set created_at = timestamptz '2030-01-01' + length(name) * interval '1 day'
      where bucket_id = 'listed'`)
    const search = async (after: string, time: string) => {
      const { rows } = await admin.query(
        `select name from storage.search_v2('', 'listed', 2, 1, $1, 'asc', 'created_at', $2)`,
        [after, time],
      )
      return rows.map((row) => row.name)
    }
    expect(await search('', '')).toEqual(['one', 'two'])
    expect(await search('two', '2030-01-04')).toEqual(['folder'])
  })
})

test('a list shows only what the policies let through', async () => {
  await withObjects(['seen.png', 'secret.png'], async () => {
    await admin.query(`create policy "seen" on storage.objects for select to anon using (name like 'seen%')`)
    await admin.query('set local role anon')
    expect(await list('', 100, '', false)).toEqual([{ name: 'seen.png', folder: false }])
  })
})
