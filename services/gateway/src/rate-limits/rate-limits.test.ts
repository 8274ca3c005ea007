import { hmacSigningKey, signJwt } from '@pando/http/auth/sign-jwt'
import { afterEach, expect, it } from 'vitest'
import { endAll, keys, setUpGateway } from '../testing/set-up-gateway.ts'

afterEach(endAll)

const withPolicies = (...policies: readonly object[]) =>
  setUpGateway({ PANDO_RATE_LIMITS_POLICIES: JSON.stringify(policies), PANDO_HTTP_TRUST_PROXY: 'loopback' })
const from = (address: string) => ({ 'x-forwarded-for': address })
const userToken = (sub: string): Promise<string> =>
  signJwt({ sub, role: 'authenticated', aud: 'authenticated', exp: 4e9 }, hmacSigningKey(keys.jwtSecret))

it('there are none unless somebody says so', async () => {
  const { app } = setUpGateway()
  const { headers } = await app.inject({ url: '/rest/v1/small' })
  expect(Object.keys(headers).filter((name) => name.startsWith('ratelimit'))).toEqual([])
})

it('says how much is left, and when to come back', async () => {
  const { app, metrics } = withPolicies({ name: 'burst', quota: 2, window: '1h' })
  const ask = () => app.inject({ url: '/rest/v1/small', headers: from('203.0.113.7') })
  const { headers } = await ask()
  expect(headers).toMatchObject({ 'ratelimit-policy': '"burst";q=2;w=3600', ratelimit: '"burst";r=1;t=1800' })
  expect((await ask()).statusCode).toBe(200)
  const refused = await ask()
  expect([refused.statusCode, refused.json()]).toMatchObject([429, { code: 'gateway.rate_limited', hint: null }])
  expect(refused.headers).toMatchObject({ ratelimit: '"burst";r=0;t=3600', 'retry-after': '1800' })
  expect(await metrics.render()).toContain('rate_limits_refused_total{policy="burst"} 1')
})

it('an address is what its owner cannot change, whatever tokens it shows', async () => {
  const { app } = withPolicies({ name: 'address', quota: 2, window: '1h' })
  const ask = async (address: string, headers = {}) =>
    (await app.inject({ url: '/rest/v1/small', headers: { ...from(address), ...headers } })).statusCode
  expect(await ask('2001:db8:1:2::1')).toBe(200)
  expect(await ask('2001:db8:1:2:ffff::2', { authorization: 'Bearer made.up.token' })).toBe(200)
  expect(await ask('2001:db8:1:2::3', { authorization: 'Bearer another.made.up' })).toBe(429)
  expect(await ask('2001:db8:1:3::1')).toBe(200)
  expect(await ask('2001:db8:1:2::1', { apikey: keys.secretKey })).toBe(200)
})

it('a user has one bucket with all tokens and at all addresses', async () => {
  const { app } = withPolicies({ name: 'user', per: 'user', quota: 1, window: '1h' })
  const ask = async (address: string, token: string) => {
    const headers = { ...from(address), authorization: `Bearer ${token}` }
    return (await app.inject({ url: '/rest/v1/small', headers })).statusCode
  }
  const [ada, grace] = [await userToken('ada'), await userToken('grace')]
  expect(await ask('203.0.113.1', ada)).toBe(200)
  expect(await ask('203.0.113.2', ada)).toBe(429)
  expect(await ask('203.0.113.1', grace)).toBe(200)
  expect(await ask('203.0.113.9', 'made.up.token')).toBe(200)
  expect(await ask('203.0.113.9', 'another.made.up')).toBe(429)
})

it('a key has one bucket, and made-up keys are their address', async () => {
  const { app } = withPolicies({ name: 'key', per: 'key', quota: 1, window: '1h' })
  const ask = async (address: string, apikey: string) =>
    (await app.inject({ url: '/rest/v1/small', headers: { ...from(address), apikey } })).statusCode
  expect(await ask('203.0.113.1', keys.publishableKey)).toBe(200)
  expect(await ask('203.0.113.2', keys.publishableKey)).toBe(429)
  expect(await ask('203.0.113.3', 'sb_made_up')).toBe(200)
  expect(await ask('203.0.113.3', 'sb_made_up_again')).toBe(429)
})

it('a policy is about its paths and methods, and all that fit must agree', async () => {
  const { app } = withPolicies(
    { name: 'all', per: 'all', quota: 3, window: '1h' },
    { name: 'small', quota: 1, window: '1h', path: '/rest/v1/small', method: 'GET' },
  )
  const ask = async (url: string) => (await app.inject({ url })).statusCode
  expect(await ask('/rest/v1/small')).toBe(200)
  expect(await ask('/rest/v1/small?again')).toBe(429)
  expect(await ask('/rest/v1/rows')).toBe(200)
  expect(await ask('/rest/v1/rows')).toBe(429)
})

it.each([
  [[{ name: 'a b', quota: 1 }], 'letters'],
  [
    [
      { name: 'a', quota: 1 },
      { name: 'a', quota: 2 },
    ],
    'twice',
  ],
])('%j is refused at the start', (policies, word) => {
  expect(() => withPolicies(...policies)).toThrow(word)
})
