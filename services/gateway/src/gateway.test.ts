import * as fc from 'fast-check'
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { preferredCoding } from './compression.ts'
import { endAll, keys, setUpGateway } from './testing/set-up-gateway.ts'

afterEach(endAll)

describe('routing', () => {
  it('serves what runs here, and names it in the metrics', async () => {
    const { app, metrics } = setUpGateway()
    expect((await app.inject('/rest/v1/small')).json()).toEqual({ small: true })
    expect(await metrics.render()).toContain('{service="rest",route="/rest/v1/small",method="GET",status="2xx"} 1')
  })

  it.each(['auth', 'realtime', 'storage', 'functions', 'graphql'])('says that %s does not run here', async (name) => {
    const { app } = setUpGateway()
    for (const url of [`/${name}/v1`, `/${name}/v1/a/b?c=d`]) {
      const answer = await app.inject({ method: 'POST', url, payload: '{', headers: { 'content-type': 'x/y' } })
      expect([answer.statusCode, answer.json()]).toMatchObject([501, { code: 'gateway.service_absent', service: name }])
    }
  })

  it.each(['/', '/rest', '/rest/v2/x', '/REST/v1/small', '/rest/v1x', '/elsewhere'])('%s is 404', async (url) => {
    const { app } = setUpGateway()
    expect((await app.inject(url)).json()).toMatchObject({ status: 404, code: 'http.not_found' })
  })
})

describe('CORS', () => {
  it('answers a preflight with whatever headers it asks for', async () => {
    const { app } = setUpGateway()
    const answer = await app.inject({
      method: 'OPTIONS',
      url: '/rest/v1/rows',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'apikey,prefer,x-mine',
      },
    })
    expect([answer.statusCode, answer.body]).toEqual([200, ''])
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'apikey,prefer,x-mine',
      'access-control-allow-methods': expect.stringContaining('PATCH'),
      'access-control-max-age': '86400',
    })
  })

  it('lets a page of any origin read the headers that clients need, also of errors', async () => {
    const { app } = setUpGateway()
    for (const url of ['/rest/v1/small', '/nowhere', '/auth/v1/x']) {
      const { headers } = await app.inject({ url, headers: { origin: 'https://app.example' } })
      expect(headers['access-control-allow-origin']).toBe('*')
      for (const name of [
        'Content-Range',
        'Content-Profile',
        'Preference-Applied',
        'Location',
        'Range-Unit',
        'X-Request-Id',
        'Server-Timing',
      ])
        expect(headers['access-control-expose-headers']).toContain(name)
    }
  })

  it('passes an OPTIONS request that is no preflight to its service', async () => {
    const { app } = setUpGateway()
    expect((await app.inject({ method: 'OPTIONS', url: '/rest/v1/rows' })).headers.allow).toBe('GET')
  })
})

describe('the key, when one is required', () => {
  const required = { PANDO_GATEWAY_API_KEY_REQUIRED: 'true' }
  it.each([
    ['no key', '/rest/v1/small', {}, 401, 'No API key found in request'],
    [
      'a token but no key',
      '/rest/v1/small',
      { authorization: `Bearer ${keys.anonKey}` },
      401,
      'No API key found in request',
    ],
    ['an unknown key', '/rest/v1/small', { apikey: 'sb_publishable_x' }, 401, 'Invalid authentication credentials'],
    ['a publishable key', '/rest/v1/small', { apikey: keys.publishableKey }, 200, undefined],
    ['a legacy key in the query', `/rest/v1/small?apikey=${keys.anonKey}`, {}, 200, undefined],
    ['no key to storage, which checks by itself', '/storage/v1/object/x', {}, 501, undefined],
    ['no key to functions', '/functions/v1/hello', {}, 501, undefined],
    ['no key in the link of a mail', '/auth/v1/verify?token=x', {}, 501, undefined],
    ['no key for the public keys', '/auth/v1/.well-known/jwks.json', {}, 501, undefined],
    ['no key elsewhere in auth', '/auth/v1/user', {}, 401, 'No API key found in request'],
    ['health', '/health/ready', {}, 200, undefined],
  ] as const)('%s', async (_name, url, headers, status, message) => {
    const { app } = setUpGateway(required)
    const answer = await app.inject({ url, headers })
    expect(answer.statusCode).toBe(status)
    expect(status === 401 ? answer.json() : {}).toEqual(message === undefined ? {} : { message })
  })

  it('no spelling of a path gets past it', async () => {
    const { app } = setUpGateway(required)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    // Over a socket, because a URL parser would put the path in its normal form first.
    const send = (path: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const request = get({ port, host: '127.0.0.1', path, agent: false }, async (response) => {
          response.setEncoding('utf8')
          resolve((await response.toArray()).join(''))
        })
        request.on('error', reject)
      })
    const piece = fc.constantFrom(
      ...'/ // . .. %2e %2f \\ ; %00 rest REST %72est v1 small rows auth verify user storage ? #'.split(' '),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(piece, { maxLength: 8 }),
        fc.constantFrom('/', '/rest/v1/', '/storage/v1/../../', '/auth/v1/verify'),
        async (pieces, start) => {
          expect(await send(start + pieces.join(''))).not.toMatch(/"small":true|row 1/)
        },
      ),
      { numRuns: 500 },
    )
    for (const path of ['/%72est/v1/small', '/auth/v1/verify/', '/auth/v1/VERIFY', '/auth/v1/verif%79'])
      expect(await send(path)).toBe('{"message":"No API key found in request"}')
  })
})

describe('compression', () => {
  it.each([
    ['/rest/v1/rows', 'gzip, deflate, br', 'br'],
    ['/rest/v1/rows', 'gzip', 'gzip'],
    ['/rest/v1/page', 'gzip', 'gzip'],
    ['/rest/v1/stream', 'br', 'br'],
    ['/rest/v1/stream', 'gzip', 'gzip'],
    ['/rest/v1/rows', '', undefined],
    ['/rest/v1/rows', 'br;q=0', undefined],
    ['/rest/v1/small', 'gzip', undefined],
    ['/rest/v1/bytes', 'gzip', undefined],
    ['/rest/v1/events', 'gzip', undefined],
  ])('%s for a client that accepts "%s": %s', async (url, accepted, coding) => {
    const { app } = setUpGateway()
    const plain = await app.inject({ url })
    const answer = await app.inject({ url, headers: { 'accept-encoding': accepted } })
    expect(answer.headers['content-encoding']).toBe(coding)
    const decode = { br: brotliDecompressSync, gzip: gunzipSync }[coding ?? ''] ?? ((bytes: Buffer) => bytes)
    expect(decode(answer.rawPayload).toString()).toBe(plain.body)
    expect(answer.headers['content-length'] ?? String(answer.rawPayload.length)).toBe(String(answer.rawPayload.length))
  })

  it('tells caches that the answer varies, and weakens a strong tag', async () => {
    const { app } = setUpGateway()
    const answer = await app.inject({ url: '/rest/v1/page', headers: { 'accept-encoding': 'br' } })
    expect(answer.headers).toMatchObject({ vary: 'Accept-Encoding', etag: 'W/"v1"' })
    expect((await app.inject({ url: '/rest/v1/page' })).headers).toMatchObject({
      vary: 'Accept-Encoding',
      etag: '"v1"',
    })
  })

  it('prefers br, then gzip, and respects weights of zero', () => {
    expect(preferredCoding('*')).toBe('br')
    expect(preferredCoding('br;q=0, *')).toBe('gzip')
    expect(preferredCoding('identity')).toBeUndefined()
    fc.assert(
      fc.property(fc.string(), (header) => {
        expect(['br', 'gzip', undefined]).toContain(preferredCoding(header))
      }),
    )
  })
})
