import { options, type Values } from '@pando/config/options'

export const rateLimitOptions = options({
  prefix: 'rateLimits',
  text: 'How often somebody may ask (429). There are none but those that stand here, and those of accounts (`auth`).',
  options: {
    policies: {
      type: 'tables',
      default: [],
      toml: 'rate_limits.policies',
      text: 'Each is a bucket of tokens for each caller; a request that fits several needs a token of each.',
      members: {
        name: {
          type: 'string',
          default: null,
          required: true,
          text: 'What it is called in `RateLimit` headers and metrics: letters, digits, `-` and `_`.',
        },
        per: {
          type: 'enum',
          values: ['address', 'user', 'key', 'all'],
          default: 'address',
          text:
            'Who has a bucket: an address (IPv6: a /64), a signed-in user (else the address), an API key, or all together. ' +
            'Callers with a secret key are not limited, except per key and all together.',
        },
        quota: { type: 'integer', default: null, required: true, min: 1, text: 'Requests that may come at once.' },
        window: {
          type: 'duration',
          default: 60_000,
          min: 1000,
          text: 'In so much time a bucket fills up again, evenly.',
        },
        path: { type: 'string', default: '/', text: 'How the path begins, for example `/rest/v1/rpc/search`.' },
        method: { type: 'string', default: null, text: 'For example `POST`; any if not given.' },
      },
    },
    redisTimeout: {
      type: 'duration',
      default: 50,
      min: 1,
      text:
        'With Redis all nodes have the same buckets. How long its answer is waited for before a node counts by itself, with its ' +
        'share of the quota.',
    },
    bucketsMax: {
      type: 'integer',
      default: 100_000,
      min: 1,
      text: 'Most buckets that are remembered by a process; then full ones are forgotten, then those used longest ago.',
    },
  },
})
export type RateLimitValues = Values<typeof rateLimitOptions>
