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
    messageBytesMax: { type: 'bytes', default: 3 * 1024 ** 2, min: 1024, text: 'Largest message of a client.' },
    queueBytesMax: {
      type: 'bytes',
      default: 256 * 1024,
      min: 16 * 1024,
      text: 'Most bytes that wait for a socket that is slower than what it follows.',
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
    privateOnly: {
      type: 'boolean',
      default: false,
      text: 'Whether only private channels may be joined, whose policies decide who hears and speaks.',
    },
  },
})

export type RealtimeOptions = Values<typeof realtimeOptions>
