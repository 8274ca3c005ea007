/** What somebody asks for who joins a topic. */
export type JoinRequest = {
  readonly accessToken: string | undefined
  readonly isPrivate: boolean
  readonly broadcast: {
    readonly self: boolean
    readonly ack: boolean
    readonly replicationReady: boolean
    /** Messages from before the join, since a moment in milliseconds, at most so many. */
    readonly replay: { readonly since: unknown; readonly limit: unknown } | undefined
  }
  readonly presence: { readonly enabled: boolean; readonly key: string }
  /** Where in the log a client stopped that comes back; an addition to the wire. */
  readonly cursor: string | undefined
  /** As they came: the answer repeats them, member by member and in their order. */
  readonly postgresChanges: readonly Readonly<Record<string, unknown>>[]
  /** How long the answer may wait until they are followed, in milliseconds; undefined when it does not. */
  readonly changesWaitMs: number | undefined
}

/** Who does not say how long waits for this; the SDKs count on it. */
const changesWaitMsDefault = 15_000

/** Reads the payload of `phx_join`. What is missing or of another type counts as not asked for. */
export function parseJoin(payload: unknown): JoinRequest {
  const { access_token, user_token, config } = toObject(payload)
  const {
    broadcast,
    presence,
    postgres_changes,
    postgres_changes_options,
    private: isPrivate,
    cursor,
  } = toObject(config)
  const { wait, timeout } = toObject(postgres_changes_options)
  const { self, ack, replay, replication_ready } = toObject(broadcast)
  const { enabled, key } = toObject(presence)
  const token = user_token ?? access_token
  return {
    accessToken: typeof token === 'string' ? token : undefined,
    isPrivate: toBoolean(isPrivate),
    cursor: typeof cursor === 'string' ? cursor : undefined,
    broadcast: {
      self: toBoolean(self),
      ack: toBoolean(ack),
      replicationReady: toBoolean(replication_ready),
      replay: isObject(replay) ? { since: replay['since'], limit: replay['limit'] } : undefined,
    },
    presence: { enabled: toBoolean(enabled), key: toText(key) },
    postgresChanges: Array.isArray(postgres_changes) ? postgres_changes.filter(isObject) : [],
    changesWaitMs: toBoolean(wait) ? (typeof timeout === 'number' ? timeout : changesWaitMsDefault) : undefined,
  }
}

type Members = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const toObject = (value: unknown): Members => (isObject(value) ? value : {})

/** Whatever cannot be a key counts as none. */
const toText = (value: unknown): string => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

/** Some SDKs write booleans as texts. */
const toBoolean = (value: unknown): boolean =>
  value === true || (typeof value === 'string' && value.toLowerCase() === 'true')
