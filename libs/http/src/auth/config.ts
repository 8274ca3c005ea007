import { options, type Values } from '@pando/config/options'
import { parseClaimPath } from './claim-path.ts'

export const jwtOptions = options({
  prefix: 'jwt',
  text: 'How every service tells who calls.',
  options: {
    secret: {
      type: 'secret',
      default: null,
      bytesMin: 32,
      toml: 'auth.jwt_secret',
      text: 'The secret of HS256 tokens, also of the legacy `anon` and `service_role` keys. At least 32 bytes.',
    },
    jwks: {
      type: 'secret',
      default: null,
      text: 'Further keys as a JWKS document (RFC 7517): RSA, EC P-256 and oct. Masked, because oct keys are secrets.',
    },
    signingKeys: {
      type: 'secret',
      default: null,
      text:
        'The private keys of the installation as a JSON array of JWKs (RSA, EC P-256), as the file of ' +
        '`auth.signing_keys_path` has them. The first one signs; tokens that any of them signed are accepted.',
    },
    publishableKey: { type: 'secret', default: null, text: 'The opaque key `sb_publishable_…` of apps: role `anon`.' },
    secretKey: { type: 'secret', default: null, text: 'The opaque key `sb_secret_…` of servers: role `service_role`.' },
    audience: {
      type: 'string',
      default: null,
      text: 'When set, a token whose `aud` claim names somebody else is refused. Tokens without `aud` pass.',
    },
    anonRole: {
      type: 'string',
      default: 'anon',
      text: 'Database role of a request without key and token, and of a token without a role claim.',
    },
    roleClaimKey: {
      type: 'string',
      default: '.role',
      refuse: (path) => (parseClaimPath(path) ? undefined : 'must be a path such as .role or .app.roles[0]'),
      text:
        "Where a token says its database role, as PostgREST's `jwt-role-claim-key`: `.app.roles[0]`, " +
        '`.roles[?(@ ^== "db_")]`.',
    },
    anonymousAllowed: {
      type: 'boolean',
      default: true,
      text: 'Whether a request without key and token is served, as `PANDO_JWT_ANON_ROLE`.',
    },
    leeway: {
      type: 'duration',
      default: 30_000,
      min: 0,
      max: 300_000,
      text: 'How far clocks may differ (exp, nbf, iat).',
    },
    tokenBytesMax: { type: 'bytes', default: 16 * 1024, min: 512, text: 'Longest token that is looked at.' },
    cachedTokensMax: { type: 'integer', default: 10_000, min: 1, text: 'Most verified tokens that are remembered.' },
    cachedBytesMax: {
      type: 'bytes',
      default: 32 * 1024 ** 2,
      min: 64 * 1024,
      text: 'Most memory for verified tokens, counted as twice their length.',
    },
    endedSessionsMax: {
      type: 'integer',
      default: 250_000,
      min: 1,
      text:
        'Most ended sessions whose access tokens a node refuses before they expire; of more, the oldest are forgotten. ' +
        'A session takes about 200 bytes, until its last access token has expired.',
    },
    endedSessionsInterval: {
      type: 'duration',
      default: 1_000,
      min: 100,
      max: 3_000,
      text: 'How often a node asks Postgres which sessions have ended.',
    },
  },
})
export type JwtValues = Values<typeof jwtOptions>
