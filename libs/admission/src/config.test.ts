import { readConfiguration } from '@pando/config/read-configuration'
import { expect, it } from 'vitest'
import { admissionOptions, toGateOptions } from './config.ts'
import { rateLimitOptions } from './rate-limits/config.ts'

const groups = { admission: admissionOptions, rateLimits: rateLimitOptions }

it('rules and policies stand as tables in the project file', () => {
  const project = {
    admission: { rules: [{ path: '/rest/v1/clicks', method: 'POST', class: 'analytics' }] },
    rate_limits: { policies: [{ name: 'search', per: 'user', quota: 30, window: '1m', path: '/rest/v1/rpc/search' }] },
  }
  const { admission, rateLimits } = readConfiguration(groups, { project })
  expect(admission.rules).toEqual([{ path: '/rest/v1/clicks', method: 'POST', role: null, class: 'analytics' }])
  expect(rateLimits.policies).toEqual([
    { name: 'search', per: 'user', quota: 30, window: 60_000, path: '/rest/v1/rpc/search', method: null },
  ])
})

it('a least and a first limit above the greatest are the greatest', () => {
  const environment = { PANDO_ADMISSION_LIMIT_MAX: '2' }
  const { admission } = readConfiguration(groups, { environment })
  expect(toGateOptions(admission)).toMatchObject({ limitInitial: 2, limitMin: 2, limitMax: 2 })
})
