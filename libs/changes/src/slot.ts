import type { Queries } from '@pando/postgres/database'
import { mustParseLsn } from '@pando/postgres/lsn'

/** What an ordinary connection sees of the slot. */
export type Slot = {
  readonly isActive: boolean
  /** Whether replicas that synchronise slots have it too; undefined where the server cannot say so (before PostgreSQL 17). */
  readonly isFailover: boolean | undefined
  readonly confirmedLsn: bigint
  /** Why nothing can be read from it any more; undefined while something can. */
  readonly lostBecause: string | undefined
  readonly retainedBytes: number
  readonly leftBytes: number | null
}

/** The slot of the database, or undefined. Throws when something else has its name. */
export async function findSlot(queries: Queries, name: string): Promise<Slot | undefined> {
  const [row] = await queries.query<SlotRow>(selectSlot, [name])
  if (row === undefined) return undefined
  if (row.plugin !== 'pgoutput' || !row.is_ours) {
    throw new Error(
      `the replication slot "${name}" reads ${row.database ?? 'the whole server'} by ${row.plugin ?? 'no plugin'}: ` +
        'set another name for the slot of changes (changes.slot), or drop that one',
    )
  }
  return {
    isActive: row.active,
    isFailover: row.failover === null ? undefined : row.failover === 'true',
    confirmedLsn: row.confirmed === null ? 0n : mustParseLsn(row.confirmed),
    lostBecause: row.reason ?? undefined,
    retainedBytes: Number(row.retained_bytes ?? 0),
    leftBytes: row.left_bytes === null ? null : Number(row.left_bytes),
  }
}

type SlotRow = {
  plugin: string | null
  database: string | null
  is_ours: boolean
  active: boolean
  failover: string | null
  confirmed: string | null
  reason: string | null
  retained_bytes: string | null
  left_bytes: string | null
}

// A slot that the server gave up says why (new in PostgreSQL 17), is `lost`, or has no place to restart from.
const selectSlot = `
  select plugin, database, database = current_database() as is_ours, active,
    to_jsonb(slot) ->> 'failover' as failover, confirmed_flush_lsn::text as confirmed,
    coalesce(
      to_jsonb(slot) ->> 'invalidation_reason',
      case when wal_status = 'lost' or (restart_lsn is null and not active) then 'wal_removed' end
    ) as reason,
    case when not pg_is_in_recovery() then pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) end::text as retained_bytes,
    safe_wal_size::text as left_bytes
  from pg_catalog.pg_replication_slots as slot
  where slot_name = $1`

/** Drops the slot if nobody uses it. */
export async function dropSlot(queries: Queries, name: string): Promise<void> {
  await queries.query(
    'select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1 and not active',
    [name],
  )
}

/** Whether slots can be kept over a failover (new in PostgreSQL 17). */
export async function canFailOver(queries: Queries): Promise<boolean> {
  const [row] = await queries.query<{ can: boolean }>(
    "select current_setting('server_version_num')::int >= 170000 as can",
  )
  return row!.can
}

/** The name of the slot when none is configured. */
export async function getDefaultSlotName(queries: Queries): Promise<string> {
  const [row] = await queries.query<{ oid: string }>(
    'select oid::text from pg_catalog.pg_database where datname = current_database()',
  )
  return `pando_changes_${row!.oid}`
}

/** Which of the publications exist, in the given order. */
export async function listPublications(queries: Queries, names: readonly string[]): Promise<string[]> {
  const rows = await queries.query<{ pubname: string }>(
    'select pubname from pg_catalog.pg_publication where pubname = any ($1)',
    [names],
  )
  const present = new Set(rows.map(({ pubname }) => pubname))
  return names.filter((name) => present.has(name))
}

/** Names of the built-in types: those that the stream takes for known (oids below 10,000 are fixed for all servers). */
export async function listTypeNames(queries: Queries): Promise<Map<number, string>> {
  const rows = await queries.query<{ oid: string; typname: string }>(
    'select oid::text, typname from pg_catalog.pg_type where oid < 10000',
  )
  return new Map(rows.map(({ oid, typname }) => [Number(oid), typname]))
}
