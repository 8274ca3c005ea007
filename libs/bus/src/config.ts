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
    repeatBytesMax: {
      type: 'bytes',
      default: 4 * mib,
      min: 1024,
      text: 'Most that is sent again for one question, and at least one message; who lacks more asks again.',
    },
    askPause: {
      type: 'duration',
      default: 50,
      min: 1,
      text:
        'For how long a message that is missing may still come by itself before it is asked for; doubled each time that it is ' +
        'asked for in vain. Longer than what processes are apart.',
    },
    askPauseMax: { type: 'duration', default: 500, min: 1, text: 'Longest pause between two such questions.' },
    connectTimeout: {
      type: 'duration',
      default: 5 * second,
      min: 10,
      text: 'Longest time to connect to Postgres, and to Redis.',
    },
    retryPause: {
      type: 'duration',
      default: 50,
      min: 1,
      text: 'First pause before Redis is tried again; doubled each time.',
    },
    retryPauseMax: {
      type: 'duration',
      default: 2 * second,
      min: 1,
      text: 'Longest pause before Redis is tried again.',
    },
  },
})

/** Times are milliseconds, sizes bytes. */
export type BusValues = Values<typeof busOptions>
