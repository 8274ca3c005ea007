/** PostgreSQL parameters by name; booleans become on/off, a number keeps its unit in the text (`'64MB'`). */
export type Settings = Readonly<Record<string, string | number | boolean>>

/**
 * What an embedded server needs, small when idle: no parallel I/O workers, no compiler, little shared memory.
 * A caller's own settings win.
 */
export const defaultSettings: Settings = {
  wal_level: 'logical',
  max_wal_senders: 10,
  max_replication_slots: 10,
  // A slot whose reader never comes back must not fill the disk.
  max_slot_wal_keep_size: '2GB',
  min_wal_size: '32MB',
  max_wal_size: '1GB',
  shared_preload_libraries: 'pg_stat_statements',
  'pg_stat_statements.max': 1000,
  // `reset all` before each request would lead every list, and be paid for.
  'pg_stat_statements.track_utility': 'off',
  max_connections: 100,
  shared_buffers: '64MB',
  max_worker_processes: 4,
  max_parallel_workers: 2,
  max_parallel_workers_per_gather: 0,
  // The launcher of subscriptions is a process of its own; who subscribes to another server sets this.
  max_logical_replication_workers: 0,
  // Reads block their own backend instead of going through three processes that wait for work.
  io_method: 'sync',
  jit: false,
  timezone: 'UTC',
  log_timezone: 'UTC',
  lc_messages: 'C',
  log_checkpoints: false,
  // What a statement does wrong goes to the one who sent it; the log is for the server's own affairs.
  log_min_messages: 'log',
  log_line_prefix: '',
}

/** For data that nobody misses after a crash (tests): no waiting for the disk. */
export const volatileSettings: Settings = {
  fsync: false,
  synchronous_commit: false,
  full_page_writes: false,
  autovacuum: false,
}

/** The text of a configuration file. */
export function renderSettings(settings: Settings): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${renderValue(value)}`)
  return ['# Written at every start. Your own changes: alter system set …', ...lines, ''].join('\n')
}

function renderValue(value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return quoteSetting(String(value))
}

/** A text as configuration files and extensions' control files have it. */
export function quoteSetting(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
