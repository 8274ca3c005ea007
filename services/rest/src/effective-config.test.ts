import { expect, test } from 'vitest'
import { toEffectiveConfig } from './effective-config.ts'
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
  ])
  const { config, ignored } = toEffectiveConfig(defaults, inDatabase)
  expect(ignored).toEqual(['db_max_rows', 'db_tx_end', 'jwt_secret'])
  expect(config).toMatchObject({ maxRows: 1000, txEnd: 'commit' })
})
