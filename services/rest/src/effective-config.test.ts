import { expect, test } from 'vitest'
import { createEffectiveConfigs, toEffectiveConfig } from './effective-config.ts'
import type { RestOptions } from './config.ts'
import { restOptions } from './config.ts'

const defaults = Object.fromEntries(
  Object.entries(restOptions.options).map(([name, option]) => [name, option.default]),
) as unknown as RestOptions

test('without anything in the database the options rule', () => {
  const { config, ignored } = toEffectiveConfig({ ...defaults, maxRows: 7, preRequest: 'auth.check' }, new Map())
  expect(config).toMatchObject({ maxRows: 7, schemas: ['public'], preRequest: { schema: 'auth', name: 'check' } })
  expect(ignored).toEqual([])
})

test('what the database says wins', () => {
  const inDatabase = new Map([
    ['db_schemas', 'api, "other"'],
    ['db_max_rows', '50'],
    ['db_aggregates_enabled', 'on'],
    ['db_tx_end', 'commit-allow-override'],
    ['app_settings_tier', 'gold'],
  ])
  const { config, ignored } = toEffectiveConfig(defaults, inDatabase)
  expect(ignored).toEqual([])
  expect(config).toMatchObject({
    schemas: ['api', 'other'],
    maxRows: 50,
    aggregatesEnabled: true,
    txEnd: 'commit-allow-override',
    appSettings: [['app.settings.tier', 'gold']],
  })
})

test('a value that cannot be understood, or that no option here has, is named and left out', () => {
  const inDatabase = new Map([
    ['db_max_rows', 'many'],
    ['db_tx_end', 'never'],
    ['db_plan_enabled', 'off'],
    ['jwt_secret', 'hush'],
    ['jwt_role_claim_key', 'role'],
    ['jwt_cache_max_lifetime', '5'],
  ])
  const { config, ignored } = toEffectiveConfig(defaults, inDatabase)
  const names = ['db_max_rows', 'db_tx_end', 'jwt_secret', 'jwt_role_claim_key', 'jwt_cache_max_lifetime']
  expect(ignored).toEqual(names.map((name) => `pgrst.${name}`))
  expect(config).toMatchObject({ maxRows: 1000, txEnd: 'commit', tokenRules: { values: {}, keys: [] } })
})

test('it is worked out once for what the database says', () => {
  const effectiveConfigs = createEffectiveConfigs(defaults)
  const inDatabase = new Map([['db_max_rows', '50']])
  expect(effectiveConfigs(inDatabase)).toBe(effectiveConfigs(inDatabase))
  expect(effectiveConfigs(inDatabase)).toEqual(toEffectiveConfig(defaults, inDatabase))
  expect(effectiveConfigs(undefined)).toEqual(toEffectiveConfig(defaults, new Map()))
})

test('the secret is a text, a text in base64, a JWK or a set of them', () => {
  const k = Buffer.from('a secret that is long enough for HS256').toString('base64url')
  const keysOf = (secret: string, isBase64 = 'false') =>
    toEffectiveConfig(
      defaults,
      new Map([
        ['jwt_secret', secret],
        ['jwt_secret_is_base64', isBase64],
      ]),
    ).config.tokenRules?.keys.map(({ fingerprint }) => fingerprint)
  const [plain] = keysOf('a secret that is long enough for HS256')!
  expect(keysOf(k, 'true')).toEqual([plain])
  expect(keysOf(JSON.stringify({ kty: 'oct', k }))).toEqual([plain])
  expect(
    keysOf(
      JSON.stringify({
        keys: [
          { kty: 'oct', k },
          { kty: 'oct', k, kid: 'b' },
        ],
      }),
    ),
  ).toHaveLength(2)
  expect(keysOf('{"keys":[{"kty":"oct","k":"c2hvcnQ"}]}')).toEqual([])
  expect(keysOf('{not json, but rather long enough for HS256}')).toEqual([])
})
