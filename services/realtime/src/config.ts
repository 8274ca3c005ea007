import { options, type Values } from '@pando/config/options'

export const realtimeOptions = options({
  prefix: 'realtime',
  text: 'Sockets: channels, presence, messages and changes of rows.',
  options: {
    socketsMax: { type: 'integer', default: 19_000, min: 1, text: 'Most sockets of one node.' },
    socketsPerUserMax: {
      type: 'integer',
      default: 100,
      min: 1,
      text: 'Most sockets of one signed-in person on one node.',
    },
    channelsPerSocketMax: { type: 'integer', default: 100, min: 1, text: 'Most channels that one socket may be in.' },
    joinsPerSecondMax: { type: 'integer', default: 100, min: 1, text: 'Most joins of one socket per second.' },
    messagesPerSecondMax: {
      type: 'integer',
      default: 100,
      min: 1,
      text: 'Most messages that one socket may send to others per second, with as many in reserve.',
    },
    joinBytesMax: { type: 'bytes', default: 64 * 1024, min: 4096, text: 'Largest request to join a channel.' },
    changesPerChannelMax: {
      type: 'integer',
      default: 100,
      min: 1,
      text: 'Most entries of `postgres_changes` in one request to join.',
    },
    changesWaitMax: {
      type: 'duration',
      default: 20_000,
      min: 0,
      text:
        'Longest time that the answer to a join waits until its changes are followed, where a client wants that ' +
        '(`postgres_changes_options` of the SDKs). Later the join is refused, and the SDKs try again.',
    },
    lineTimeout: {
      type: 'duration',
      default: 1_000,
      min: 0,
      text:
        'Longest time that a join waits until this node hears the topic on the others; what they send is missed until then. ' +
        'It is looked at each second.',
    },
    presenceTimeout: {
      type: 'duration',
      default: 1_000,
      min: 0,
      text:
        'Longest time that a join waits for the presences of other nodes; who is told of later is told as joining. It is ' +
        'looked at each second.',
    },
    presenceAnswerTimeout: {
      type: 'duration',
      default: 10_000,
      min: 1_000,
      text: 'A node that has not said whom it has in a topic for this long is asked again.',
    },
    messageBytesMax: { type: 'bytes', default: 3 * 1024 ** 2, min: 1024, text: 'Largest message of a client.' },
    queueBytesMax: {
      type: 'bytes',
      default: 256 * 1024,
      min: 64 * 1024,
      text:
        'Most bytes that wait for a socket that is slower than what it follows, and as many again for changes of rows, ' +
        'merged by row. Whoever has more is told to fetch again.',
    },
    heartbeatTimeout: {
      type: 'duration',
      default: 60_000,
      min: 1_000,
      text: 'A socket that says nothing for this long is closed; the SDKs send a heartbeat every 25 seconds.',
    },
    presenceCallsMax: {
      type: 'integer',
      default: 5,
      min: 1,
      text: 'Most calls of track and untrack of one channel within `presenceCallsWindow`.',
    },
    presenceCallsWindow: { type: 'duration', default: 30_000, min: 1_000, text: 'See `presenceCallsMax`.' },
    presenceBytesMax: {
      type: 'bytes',
      default: 64 * 1024,
      min: 256,
      text: 'Most that one person may track in a channel.',
    },
    documentPrefix: {
      type: 'string',
      default: 'document:',
      text: 'A channel whose topic begins so has a document (Yjs) that its members edit together; empty is none.',
    },
    documentsPublic: {
      type: 'boolean',
      default: false,
      text: 'Whether public channels have documents, too, which everybody may read and write.',
    },
    documentBytesMax: {
      type: 'bytes',
      default: 1024 ** 2,
      min: 4096,
      text: 'Largest document; what one person did while away may be as large. Keep it below `messageBytesMax`.',
    },
    documentUpdateBytesMax: {
      type: 'bytes',
      default: 512 * 1024,
      min: 1024,
      text: 'Largest single edit of a document.',
    },
    documentUpdatesMax: {
      type: 'integer',
      default: 500,
      min: 1,
      text: 'Most edits of a document that are kept one by one; more are folded into one row.',
    },
    documentsBytesMax: {
      type: 'bytes',
      default: 32 * 1024 ** 2,
      min: 1024 ** 2,
      text: 'Most bytes of documents that are open on one node, as Postgres keeps them; memory is up to 35 times that.',
    },
    changesPendingMax: {
      type: 'integer',
      default: 1_000,
      min: 1,
      text:
        'Most changes of rows of one channel that wait for a decision of Postgres, also while it is away. Whoever has more ' +
        'is told to fetch again.',
    },
    policyChecksMax: {
      type: 'integer',
      default: 4,
      min: 1,
      max: 5,
      text: 'Most round trips at once that ask Postgres who sees a row, one for each table at most.',
    },
    policyCheckCallersMax: {
      type: 'integer',
      default: 1_000,
      min: 1,
      text: 'Most callers, of different claims, that one round trip asks about.',
    },
    policyQuestionsMax: {
      type: 'integer',
      default: 10_000,
      min: 1,
      text: 'Most questions about rows of one table that wait for a round trip. Who depends on one more is told to fetch again.',
    },
    accessInterval: {
      type: 'duration',
      default: 1_000,
      min: 0,
      max: 60_000,
      text:
        'How often Postgres is asked, while somebody follows rows, whether roles or privileges are others, which the log of ' +
        'changes does not say of all. An answer holds for twice as long; 0 asks about each change before it is told.',
    },
    undecidedDeletes: {
      type: 'enum',
      values: ['withhold', 'tell-key'],
      default: 'withhold',
      toml: 'realtime.undecided_deletes',
      text:
        'Who hears of the delete of a row that policies protect, when the log has too little of it to say who could see it ' +
        '(a replica identity that is not `full`): nobody, or everybody who follows the table hears its key. A `supabase/` ' +
        'project has `tell-key` unless it says otherwise, as other servers of this protocol.',
    },
    messagesPerRequestMax: {
      type: 'integer',
      default: 100,
      min: 1,
      text: 'Most messages in one request to `/realtime/v1/api/broadcast`.',
    },
    privateOnly: {
      type: 'boolean',
      default: false,
      text: 'Whether only private channels may be joined, whose policies decide who hears and speaks.',
    },
  },
})

export type RealtimeOptions = Values<typeof realtimeOptions>
