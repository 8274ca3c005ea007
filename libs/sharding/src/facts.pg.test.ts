import { createTestDatabase, type TestDatabase } from '@pando/postgres/testing/database'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readShardFacts, type ShardFacts } from './facts.ts'

const sql = `
  create extension btree_gist;
  create schema other;
  create domain kind as text;
  create type mood as enum ('good', 'bad');
  create table tenants (id uuid primary key, name text unique);
  create table bookings (
    tenant_id uuid not null references tenants on delete cascade,
    id bigint generated always as identity,
    kind kind, mood mood, label varchar(10), notes json,
    upper_label text generated always as (upper(label)) stored,
    during tstzrange,
    primary key (tenant_id, id),
    exclude using gist (tenant_id with =, during with &&),
    unique (label) include (mood)
  );
  create unique index bookings_lower on bookings (tenant_id, lower(label)) where label <> '';
  create index bookings_label on bookings (label);
  create table parts (at date, id int, primary key (at, id)) partition by range (at);
  create table parts_2026 partition of parts for values from ('2026-01-01') to ('2027-01-01');
  create table deep (at date) partition by range (at);
  create table deep_2026 partition of deep for values from ('2026-01-01') to ('2027-01-01') partition by range (at);
  create table parent (id int);
  create table child () inherits (parent);
  create unlogged table quick (id int);
  create table other.audit (tenant_id uuid references public.tenants on update set null);
  alter table bookings enable row level security;
  create policy plain on bookings using (label = 'x');
  create policy asking on bookings for insert with check (exists (select from tenants));
  create function touch() returns trigger language plpgsql as 'begin return new; end';
  create trigger touch before update on bookings for each row execute function touch();
  create publication supabase_realtime for table bookings;
  create publication pando_cache for table parts;`

let database: TestDatabase
let facts: ShardFacts
beforeAll(async () => {
  database = await createTestDatabase({ conventions: false, sql })
  facts = await readShardFacts(database, ['public'])
})
afterAll(() => database?.close())

const tableOf = (wanted: string) => facts.tables.find(({ name }) => name === wanted)!

test('the tables of the schemas are there, without partitions and what belongs to extensions', () => {
  expect(facts.tables.map(({ name }) => name)).toEqual([
    'bookings',
    'child',
    'deep',
    'parent',
    'parts',
    'quick',
    'tenants',
  ])
  expect(facts.tables.filter(({ inherits }) => inherits).map(({ name }) => name)).toEqual(['child', 'parent'])
  expect(facts.tables.filter(({ isFollowed }) => isFollowed).map(({ name }) => name)).toEqual(['bookings'])
  expect(facts.tables.filter(({ isCached }) => isCached).map(({ name }) => name)).toEqual(['parts'])
  expect(facts.tables.filter(({ isPartitioned }) => isPartitioned).map(({ name }) => name)).toEqual(['deep', 'parts'])
  expect(facts.tables.filter(({ hasNestedPartitions }) => hasNestedPartitions).map(({ name }) => name)).toEqual([
    'deep',
  ])
  expect(tableOf('quick').persistence).toBe('unlogged')
  expect(tableOf('parts').bytes).toBeGreaterThan(0)
  expect(facts.placed).toBeUndefined()
})

test('columns say whether they can be a key', () => {
  const { columns } = tableOf('bookings')
  const said = Object.fromEntries(columns.map((one) => [one.name, one]))
  expect(said['tenant_id']).toEqual({
    name: 'tenant_id',
    type: 'uuid',
    isNotNull: true,
    isGenerated: false,
    isHashable: true,
  })
  expect(columns.filter(({ isHashable }) => !isHashable).map(({ name }) => name)).toEqual(['notes', 'during'])
  expect(columns.filter(({ isGenerated }) => isGenerated).map(({ name }) => name)).toEqual(['upper_label'])
})

test('what enforces something across rows is known with the columns in which equal rows conflict', () => {
  expect(tableOf('bookings').uniques.map(({ kind, columns }) => [kind, columns])).toEqual([
    ['primary key', ['tenant_id', 'id']],
    ['unique constraint', ['label']],
    ['unique index', ['tenant_id']],
    ['exclusion constraint', ['tenant_id']],
  ])
})

test('policies, triggers and foreign keys from and to other schemas', () => {
  expect(tableOf('bookings').policies).toEqual([
    { name: 'asking', hasSubselect: true, using: null, check: expect.stringContaining('SELECT') },
    { name: 'plain', hasSubselect: false, using: expect.stringContaining('label'), check: null },
  ])
  expect(tableOf('bookings').triggers).toEqual(['touch'])
  expect(facts.foreignKeys).toMatchObject([
    { from: { schema: 'other', name: 'audit' }, to: { schema: 'public', name: 'tenants' }, onUpdate: 'set null' },
    {
      from: { schema: 'public', name: 'bookings' },
      to: { schema: 'public', name: 'tenants' },
      columns: [['tenant_id', 'id']],
      onDelete: 'cascade',
      onUpdate: 'no action',
    },
  ])
})
