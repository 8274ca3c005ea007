import { options, type Values } from '@pando/config/options'

const second = 1000
const mib = 1024 ** 2

export const cacheOptions = options({
  prefix: 'cache',
  text:
    'Answers of the data API that are kept until the log of changes says that they may be others. Tables whose reads are ' +
    'kept are those of the publication `pando_cache`.',
  options: {
    mode: {
      type: 'enum',
      values: ['off', 'asked', 'tables'],
      default: 'off',
      text:
        'Whether answers are kept: never (`off`), of all reads of those tables (`tables`), or of those reads of them whose ' +
        'request asks for it by `Cache-Control: max-age=…` (`asked`).',
    },
    memoryBytesMax: {
      type: 'bytes',
      default: 64 * mib,
      min: mib,
      text: 'Most memory that the answers kept in a process take; those that were not asked for longest leave first.',
    },
    answerBytesMax: { type: 'bytes', default: mib, min: 1024, text: 'Largest answer that is kept.' },
    ageMax: {
      type: 'duration',
      default: 600 * second,
      min: second,
      text: 'An answer is made anew after this time even if nothing has changed.',
    },
    lagMax: {
      type: 'duration',
      default: 5 * second,
      min: 100,
      text:
        'Kept answers are used while the log of changes is known up to a moment that is no longer ago. Who signed in, or has ' +
        'got a new token, within that time gets no kept answers.',
    },
    pulse: {
      type: 'duration',
      default: 500,
      min: 10,
      text: 'How often Postgres is asked how far its log is, so that it is known from which moment what is read of it is.',
    },
    accessInterval: {
      type: 'duration',
      default: second,
      min: 10,
      max: 60 * second,
      text:
        'How often Postgres is asked whether roles or privileges are others, which the log of changes does not say of all. ' +
        'An answer holds for twice as long.',
    },
    sharedTimeout: {
      type: 'duration',
      default: 50,
      min: 1,
      text: 'How long an answer of Redis is waited for, where there is one, before Postgres is asked.',
    },
    sharedPendingMax: {
      type: 'integer',
      default: 1000,
      min: 1,
      text: 'Most answers that are on their way to Redis; more are kept in this process alone.',
    },
    staleWhileShedding: {
      type: 'duration',
      default: 0,
      min: 0,
      max: 600 * second,
      text:
        'A read that admission has to refuse is answered with what was right no longer ago than this, if that is kept here and ' +
        'the caller has not written since. 0 refuses it.',
    },
    requestBytesMax: {
      type: 'bytes',
      default: 16 * mib,
      min: mib,
      text: 'Most memory for what is known of requests whose answers are kept, so that they need not be parsed again, in a process.',
    },
    clientMaxAge: {
      type: 'duration',
      default: 0,
      min: 0,
      text:
        'For how long clients may use an answer again without asking (`max-age`): they are not told of changes. 0 lets them ' +
        'keep it and ask each time whether it is still right (`no-cache`).',
    },
    cdnMaxAge: {
      type: 'duration',
      default: 0,
      min: 0,
      text:
        'The same for caches on the way (`s-maxage`, `CDN-Cache-Control`), of answers that are equal for all who are not ' +
        'signed in. 0 lets them ask each time.',
    },
    staleWhileRevalidate: {
      type: 'duration',
      default: 0,
      min: 0,
      text: 'For how much longer both may use it while they ask anew (`stale-while-revalidate`).',
    },
  },
})

/** Times are milliseconds, sizes bytes. */
export type CacheValues = Values<typeof cacheOptions>
