import type { KeptUse } from '@pando/cache/cached-read'
import { describe, expect, test } from 'vitest'
import { withUse } from './with-use.ts'

const answer = { status: 200, headers: { 'Content-Type': 'application/json', 'Content-Range': '0-0/*' }, body: '[]' }
const kept: KeptUse = { kind: 'kept', outcome: 'hit', isStored: true, tag: 'abc', ageMs: 1_200, isCommon: true }
const about = {
  options: { clientMaxAge: 0, cdnMaxAge: 0, staleWhileRevalidate: 0 },
  isAnonymous: true,
  sources: {
    root: { schema: 'public', name: 'posts' },
    relations: [
      { schema: 'public', name: 'posts' },
      { schema: 'public', name: 'a b' },
    ],
  },
  ifNoneMatch: undefined,
}
const minute = 60_000

describe('what others may keep', () => {
  const controlOf = (use: Partial<KeptUse>, options: Partial<typeof about.options>, isAnonymous = true): string =>
    String(
      withUse(answer, { ...kept, ...use }, { ...about, isAnonymous, options: { ...about.options, ...options } })
        .headers['cache-control'],
    )

  test('is asked for each time, unless somebody allows more', () => {
    expect(controlOf({}, {})).toBe('public, no-cache')
    expect(controlOf({}, { staleWhileRevalidate: minute })).toBe('public, no-cache')
    expect(controlOf({}, { clientMaxAge: minute })).toBe('public, max-age=60')
    expect(controlOf({}, { clientMaxAge: minute, staleWhileRevalidate: minute })).toBe(
      'public, max-age=60, stale-while-revalidate=60',
    )
    expect(controlOf({}, { cdnMaxAge: minute })).toBe('public, max-age=0, s-maxage=60')
  })

  test('is private where it is not the same for all, or somebody is signed in', () => {
    const options = { clientMaxAge: minute, cdnMaxAge: minute }
    expect(controlOf({ isCommon: false }, options)).toBe('private, max-age=60')
    expect(controlOf({}, options, false)).toBe('private, max-age=60')
  })

  test('is asked for each time where it was right a while ago', () => {
    expect(controlOf({ outcome: 'stale' }, { clientMaxAge: minute, cdnMaxAge: minute })).toBe('public, no-cache')
  })

  test('names its tables for CDNs, that may be told to let them go', () => {
    const options = { clientMaxAge: 0, cdnMaxAge: minute, staleWhileRevalidate: minute }
    expect(withUse(answer, kept, { ...about, options }).headers).toMatchObject({
      'cdn-cache-control': 'max-age=60, stale-while-revalidate=60',
      'cache-tag': 'public.posts,public.a%20b',
      'surrogate-key': 'public.posts public.a%20b',
    })
    expect(withUse(answer, { ...kept, isCommon: false }, { ...about, options }).headers).not.toHaveProperty('cache-tag')
  })
})

describe('whoever has it', () => {
  const statusOf = (ifNoneMatch: string): number => withUse(answer, kept, { ...about, ifNoneMatch }).status

  test('gets no body', () => {
    expect(['"abc"', 'W/"abc"', '"x", W/"abc"', '*'].map(statusOf)).toEqual([304, 304, 304, 304])
    expect(['"abcd"', 'abc', ''].map(statusOf)).toEqual([200, 200, 200])
    const { body, headers } = withUse(answer, kept, { ...about, ifNoneMatch: '*' })
    expect(body).toBeUndefined()
    expect(headers).toMatchObject({ etag: '"abc"', age: '2', 'cache-status': 'pando; hit' })
    expect(headers).not.toHaveProperty('content-type')
  })
})

test.each<[Partial<KeptUse>, string]>([
  [{}, 'pando; hit'],
  [{ outcome: 'stale' }, 'pando; hit; ttl=-2; detail=stale'],
  [{ outcome: 'shared' }, 'pando; hit; detail=shared'],
  [{ outcome: 'collapsed' }, 'pando; fwd=miss; collapsed'],
  [{ outcome: 'miss' }, 'pando; fwd=miss; stored'],
  [{ outcome: 'miss', forward: 'stale', isStored: false }, 'pando; fwd=stale'],
])('%j is told as %s', (use, status) => {
  const { headers } = withUse(answer, { ...kept, ...use }, about)
  expect(headers['cache-status']).toBe(status)
  expect('age' in headers).toBe(use.outcome !== 'miss')
})

test('what cannot be kept says why, and nothing else', () => {
  const reason = { code: 'time', text: 'a policy of public.posts asks for the time' }
  const { headers } = withUse(answer, { kind: 'bypass', reason }, about)
  expect(headers).toEqual({ ...answer.headers, 'Cache-Status': 'pando; fwd=bypass; detail=time' })
})
