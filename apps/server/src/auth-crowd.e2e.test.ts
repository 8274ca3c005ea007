import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Api, ask, startApi } from './testing/start-api.ts'

let api: Api

beforeAll(async () => {
  api = await startApi({
    sql: '',
    environment: { PANDO_AUTH_PASSWORD_THREADS: '1', PANDO_AUTH_PASSWORD_QUEUE_MAX: '0' },
  })
})

afterAll(() => api?.stop())

const account = { email: 'crowd@example.com', password: 'correct horse battery' }
const post = (path: string, body: unknown) =>
  ask(`${api.url}/auth/v1${path}`, { body, headers: { apikey: api.keys.anonKey } })

test('more sign-ins than may wait are told when to come back, the others get in, and sessions go on meanwhile', async () => {
  const { body: session } = await post('/signup', account)
  const { refresh_token } = session as { refresh_token: string }
  const crowd = Array.from({ length: 20 }, () => post('/token?grant_type=password', account))
  const refreshed = await post('/token?grant_type=refresh_token', { refresh_token })
  const answers = await Promise.all(crowd)

  expect(refreshed.status).toBe(200)
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 503]))
  for (const { headers, body } of answers.filter(({ status }) => status === 503)) {
    expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(body).toMatchObject({ error_code: 'over_request_rate_limit' })
  }
  expect((await post('/token?grant_type=password', account)).status).toBe(200)
})
