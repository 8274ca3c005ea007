import { readConfiguration } from '@pando/config/read-configuration'
import fc from 'fast-check'
import { fastify } from 'fastify'
import { describe, expect, test } from 'vitest'
import { httpOptions } from './config.ts'
import { refuseTrust, toTrust } from './trust-proxy.ts'

const read = (environment: Record<string, string>) =>
  readConfiguration({ http: httpOptions }, { environment }).http.trustProxy

/** Whom a node with this option takes for the client, and through whom, when `peer` asks and says `forwarded`. */
async function ask(trust: string | undefined, { peer = '10.0.0.1', forwarded }: { peer?: string; forwarded: string }) {
  const app = fastify({ trustProxy: toTrust(read(trust === undefined ? {} : { PANDO_HTTP_TRUST_PROXY: trust })) })
  app.get('/', ({ ip, host, protocol }) => ({ ip, host, protocol }))
  const headers = {
    host: 'own.example',
    'x-forwarded-for': forwarded,
    'x-forwarded-host': 'named.example',
    'x-forwarded-proto': 'https',
  }
  return (await app.inject({ url: '/', remoteAddress: peer, headers })).json() as object
}

const believed = { host: 'named.example', protocol: 'https' }
const notBelieved = { host: 'own.example', protocol: 'http' }

describe('who is the client', () => {
  const forwarded = '6.6.6.6, 203.0.113.7, 10.0.0.2'

  test.each([undefined, 'false', '0'])('nobody but the peer, for %s', async (trust) => {
    expect(await ask(trust, { forwarded })).toEqual({ ip: '10.0.0.1', ...notBelieved })
  })

  test.each([
    ['1', '10.0.0.2'],
    ['2', '203.0.113.7'],
    ['3', '6.6.6.6'],
    ['9', '6.6.6.6'],
    ['10.0.0.1', '10.0.0.2'],
    ['10.0.0.1, 10.0.0.2', '203.0.113.7'],
    ['10.0.0.0/8', '203.0.113.7'],
    ['loopback, uniquelocal', '203.0.113.7'],
    ['true', '6.6.6.6'],
  ])('the one whom the last believed proxy names, for %s', async (trust, ip) => {
    expect(await ask(trust, { forwarded })).toEqual({ ip, ...believed })
  })

  test('a peer that is none of the proxies is believed nothing', async () => {
    const direct = { peer: '203.0.113.9', forwarded: '6.6.6.6' }
    expect(await ask('10.0.0.0/8', direct)).toEqual({ ip: '203.0.113.9', ...notBelieved })
  })

  test('an address of IPv4 is itself when it comes as IPv6', async () => {
    expect(await ask('10.0.0.0/8', { peer: '::ffff:10.0.0.1', forwarded })).toMatchObject({ ip: '203.0.113.7' })
  })

  test('whatever a client writes in front of what its proxies add, it stays who it is', async () => {
    const text = fc.oneof(fc.ipV4(), fc.ipV6(), fc.stringMatching(/^[\w.:, -]{0,40}$/))
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 4 }), async (forged) => {
        const written = [...forged, '203.0.113.7', '10.0.0.2'].join(',')
        for (const trust of ['2', '10.0.0.0/8'])
          expect(await ask(trust, { forwarded: written })).toMatchObject({ ip: '203.0.113.7' })
      }),
    )
  })
})

describe('the option', () => {
  test.each([
    'yes',
    '-1',
    '1.5',
    'true, 10.0.0.1',
    '1, 2',
    '10.0.0',
    '10.0.0.0/33',
    '0.0.0.0/0',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '::1/129',
    'fe80::1%eth0',
    'proxy.example.com',
  ])('%j is refused, with what is taken', (text) => {
    expect(() => read({ PANDO_HTTP_TRUST_PROXY: text })).toThrow(
      /PANDO_HTTP_TRUST_PROXY must be false, true, a number of hops, or addresses and networks such as .*, but has "/,
    )
  })

  test('more hops than anybody has are refused', () => {
    expect(() => read({ PANDO_HTTP_TRUST_PROXY: '33' })).toThrow(
      'PANDO_HTTP_TRUST_PROXY must be at most 32 hops, but is 33',
    )
  })

  test('whatever is let in the framework understands', () => {
    const item = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.tuple(fc.oneof(fc.ipV4(), fc.ipV6()), fc.nat(140)).map(([address, bits]) => `${address}/${bits}`),
      fc.constantFrom('true', 'false', 'loopback', 'linklocal', 'uniquelocal'),
      fc.nat(50).map(String),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.array(item, { maxLength: 3 }), (items) => {
        fc.pre(refuseTrust(items) === undefined)
        expect(() => fastify({ trustProxy: toTrust(items) })).not.toThrow()
      }),
    )
  })
})
