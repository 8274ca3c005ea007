import { options, type Values } from '@pando/config/options'

export const redisOptions = options({
  prefix: 'redis',
  text: 'Redis, 7 or newer, or Valkey. Without it everything works through Postgres, and rate limits are counted by each process.',
  options: {
    url: {
      type: 'url',
      default: null,
      schemes: ['redis', 'rediss'],
      text:
        'Address, for example `rediss://user:password@redis.internal:6379`. Of a cluster, any of its nodes, or the name ' +
        'that stands for all of them.',
    },
    ca: {
      type: 'string',
      default: null,
      text:
        'Path of a PEM file with the authorities that certificates of a `rediss` address are believed of, in place of those that ' +
        'the system knows.',
    },
  },
})
export type RedisValues = Values<typeof redisOptions>
