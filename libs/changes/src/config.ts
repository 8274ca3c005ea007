import { options, type Values } from '@pando/config/options'

const second = 1000
const mib = 1024 ** 2

export const changesOptions = options({
  prefix: 'changes',
  text: 'Reading the changes of rows from the write-ahead log of Postgres, by one logical replication slot a database.',
  options: {
    slot: {
      type: 'string',
      default: null,
      text:
        'Name of the replication slot; all nodes of an installation must agree on it. Not set: `pando_changes_` and the ' +
        "database's oid, because names of slots are shared by the databases of a server.",
    },
    window: {
      type: 'duration',
      default: 120 * second,
      min: second,
      text: 'For how long changes are kept for clients that return. Postgres keeps the log for as long, for the next reader.',
    },
    windowBytes: {
      type: 'bytes',
      default: 32 * mib,
      min: mib,
      text: 'Most memory for the changes that are kept; the oldest leave early. Who returns later is told to fetch again.',
    },
    transactionBytesMax: {
      type: 'bytes',
      default: 64 * mib,
      min: mib,
      text: 'Largest transaction, in memory, whose changes are told one by one; of a larger one clients are told to fetch again.',
    },
    statusInterval: {
      type: 'duration',
      default: second,
      min: 10,
      max: 10 * second,
      text: 'How often Postgres is told what has been read, and asked how far the log goes.',
    },
    silence: {
      type: 'duration',
      default: 20 * second,
      min: second,
      text: 'Without a sign of life for this long, Postgres and reader give each other up; then another node may read.',
    },
    standbyPause: {
      type: 'duration',
      default: second,
      min: 10,
      text: 'How often a node that waits looks whether the slot is free: between half and all of it, at random.',
    },
    retryPause: { type: 'duration', default: 100, min: 1, text: 'First pause after a failure; doubled each time.' },
    retryPauseMax: { type: 'duration', default: 10 * second, min: 1, text: 'Longest pause after a failure.' },
    aheadTimeout: {
      type: 'duration',
      default: 3 * second,
      min: 0,
      text:
        'How long a client that comes from a node which has read further waits until this one has, too, which follows it. ' +
        'Later it is told to fetch again.',
    },
    checkInterval: {
      type: 'duration',
      default: 30 * second,
      min: 10,
      text: 'How often the slot is measured and publications are looked for that were not there.',
    },
    retainedBytesAlarm: {
      type: 'bytes',
      default: 512 * mib,
      min: mib,
      text:
        'Log that Postgres keeps for the reader, above which there is a warning. The server gives the slot up above its own ' +
        '`max_slot_wal_keep_size`; without that nothing bounds it, which is warned of as well.',
    },
    connectTimeout: { type: 'duration', default: 5 * second, min: 10, text: 'Longest time to connect to Postgres.' },
    stopTimeout: {
      type: 'duration',
      default: 2 * second,
      min: 10,
      text: 'How long a stop waits until the slot is free.',
    },
  },
})

/** Times are milliseconds, sizes bytes. */
export type ChangesValues = Values<typeof changesOptions>
