import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Chain,
  decodeRefreshToken,
  encodeRefreshToken,
  hashSecret,
  latestSecret,
  nextSecret,
  type RefreshToken,
} from './refresh-token.ts'

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((array) => Buffer.from(array))
const tokens = fc.record({ sessionId: fc.uuid(), counter: fc.nat(0xffff_ffff), secret: bytes(16) })

const key = Buffer.alloc(32, 'key')
const first: RefreshToken = {
  sessionId: '0198c8a2-7d9a-7b6e-9d53-1f2f1c0a9b11',
  counter: 0,
  secret: Buffer.alloc(16, 'first'),
}

/** A session that was refreshed so many times: the tokens it gave, and what its row has. */
function refresh(times: number): { readonly given: readonly RefreshToken[]; readonly chain: Chain } {
  const given = [first]
  for (let counter = 1; counter <= times; counter++)
    given.push({ ...first, counter, secret: nextSecret(key, given[counter - 1]!.secret) })
  return { given, chain: { key, counter: times, hash: hashSecret(given[times]!.secret) } }
}

describe('the text of a refresh token', () => {
  test('reads back as the same token', () => {
    fc.assert(
      fc.property(tokens, (token) => {
        expect(decodeRefreshToken(encodeRefreshToken(token))).toEqual(token)
      }),
    )
  })

  test('needs no escape in a URL, a cookie or JSON', () => {
    fc.assert(
      fc.property(tokens, (token) => {
        expect(encodeRefreshToken(token)).toMatch(/^[\w-]{48}$/)
      }),
    )
  })

  test('has one spelling: a text that is none of ours is no token, and nothing throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary' })), (text) => {
        const token = decodeRefreshToken(text)
        expect(token === undefined || encodeRefreshToken(token) === text).toBe(true)
      }),
    )
  })

  test.each([
    ['empty', () => ''],
    ['cut short', (text: string) => text.slice(0, -1)],
    ['continued', (text: string) => `${text}AAAA`],
    ['padded', (text: string) => `${text}=`],
    ['with a space in it', (text: string) => ` ${text}`],
    ['with a character that base64url has not', (text: string) => text.replace(/^./, '+')],
    ['of another maker', () => 'v1kX2nYtTQYc'],
  ])('%s is no token', (_case, change) => {
    expect(decodeRefreshToken(change(encodeRefreshToken(first)))).toBeUndefined()
  })
})

describe('the chain of a session', () => {
  test('leads from every token it gave to the latest secret', () => {
    const { given, chain } = refresh(20)
    for (const token of given) expect(latestSecret(token, chain)).toEqual(given[20]!.secret)
  })

  test('does not lead back: an earlier row does not know a later token', () => {
    const { given } = refresh(3)
    expect(latestSecret(given[3]!, refresh(2).chain)).toBeUndefined()
  })

  test('is not found with another secret, another place or another key', () => {
    const { given, chain } = refresh(5)
    const token = given[2]!
    fc.assert(
      fc.property(bytes(16), (secret) => {
        fc.pre(!secret.equals(token.secret))
        expect(latestSecret({ ...token, secret }, chain)).toBeUndefined()
      }),
    )
    expect(latestSecret({ ...token, counter: 1 }, chain)).toBeUndefined()
    expect(latestSecret({ ...token, counter: 3 }, chain)).toBeUndefined()
    expect(latestSecret(token, { ...chain, key: Buffer.alloc(32, 'yek') })).toBeUndefined()
  })

  test('is followed so far and no farther, so that an old token costs a bounded number of steps', () => {
    const { given, chain } = refresh(10_001)
    expect(latestSecret(given[1]!, chain)).toEqual(given[10_001]!.secret)
    expect(latestSecret(given[0]!, chain)).toBeUndefined()
    expect(latestSecret(first, { ...chain, counter: 0xffff_ffff })).toBeUndefined()
  })

  test("a thief who has a token, but not the row's key, cannot make the next one", () => {
    const { given, chain } = refresh(1)
    const guess = nextSecret(given[0]!.secret, given[0]!.secret)
    expect(latestSecret({ ...first, counter: 1, secret: guess }, chain)).toBeUndefined()
    expect(latestSecret({ ...first, counter: 1, secret: hashSecret(given[0]!.secret) }, chain)).toBeUndefined()
  })

  test('a copy of the row is no token: the hash of the latest secret is not the secret', () => {
    const { chain } = refresh(1)
    expect(latestSecret({ ...first, counter: 1, secret: chain.hash }, chain)).toBeUndefined()
    expect(latestSecret({ ...first, counter: 1, secret: chain.hash.subarray(0, 16) }, chain)).toBeUndefined()
  })
})
