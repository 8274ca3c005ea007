import { options, type Values } from '@pando/config/options'

const second = 1000
const mib = 1024 ** 2

export const busOptions = options({
  prefix: 'bus',
  text: 'What the processes of one deployment tell each other, through Postgres, and through Redis where there is one.',
  options: {
    heartbeat: {
      type: 'duration',
      default: 2 * second,
      min: 10,
      text: 'How often a process says that it lives and how much it has sent.',
    },
    silence: {
      type: 'duration',
      default: 10 * second,
      min: 50,
      text:
        'A process of which nothing is heard for this long is gone. For as long, messages that must arrive are kept to be ' +
        'sent again.',
    },
    messageBytesMax: {
      type: 'bytes',
      default: 16 * mib,
      min: 1024,
      text: 'Largest message between processes; a larger one is not sent, and the others are told that something is missing.',
    },
    pendingBytesMax: {
      type: 'bytes',
      default: 64 * mib,
      min: 1024,
      text:
        'Most memory for messages on their way: those that wait to be sent, those that are kept to be sent again, and those ' +
        'of each other process that wait for one before them.',
    },
  },
})

/** Times are milliseconds, sizes bytes. */
export type BusValues = Values<typeof busOptions>

export const redisOptions = options({
  prefix: 'redis',
  text: 'Redis, 7 or newer, or Valkey. Without it everything works through Postgres.',
  options: {
    url: {
      type: 'url',
      default: null,
      schemes: ['redis', 'rediss'],
      text:
        'Address, for example `rediss://user:password@redis.internal:6379`. Of a cluster, any of its nodes, or the name ' +
        'that stands for all of them.',
    },
  },
})
