import { expect, test } from 'vitest'
import { parseHookTarget } from './hook-target.ts'

const secret = `v1,whsec_${Buffer.alloc(24, 1).toString('base64')}`
const parse = (uri: string | null, secrets?: string) => parseHookTarget('send-email', uri, secrets)

test('a function is named by schema and name', () => {
  expect(parse('pg-functions://postgres/public/my_hook')).toEqual({ schema: 'public', name: 'my_hook' })
})

test('what is no identifier names no function', () => {
  const wrong = ['public', 'public/', 'public/a/b', 'public/a"b', 'public/a%22b', 'public/a b', '', 'public/1a']
  for (const path of wrong) expect(() => parse(`pg-functions://postgres/${path}`)).toThrow(/names no function/)
})

test('an address has one key for each secret', () => {
  const key = Buffer.alloc(24, 1)
  expect(parse('https://example.com/hook', secret)).toEqual({ url: 'https://example.com/hook', keys: [key] })
  expect(parse('https://example.com/hook', `${secret}|${secret}|`)).toMatchObject({ keys: [key, key] })
})

test('plain http is for this machine only', () => {
  for (const host of ['localhost:1', '127.0.0.1:1', '[::1]:1', 'host.docker.internal'])
    expect(parse(`http://${host}/`, secret)).toMatchObject({ url: `http://${host}/` })
  for (const uri of ['http://example.com', 'ftp://localhost', 'http://localhost.example.com', 'file:///etc/passwd'])
    expect(() => parse(uri, secret)).toThrow(/Plain http is for this machine only/)
})

test('calls over HTTP are never without a signature', () => {
  expect(() => parse('https://example.com')).toThrow(/needs secrets/)
  expect(() => parse('https://example.com', '|')).toThrow(/needs secrets/)
  for (const wrong of ['whsec_c2hvcnQ=', 'v1,whsec_c2hvcnQ=', 'v1a,whsk_x', `${secret}|x`]) {
    expect(() => parse('https://example.com', wrong)).toThrow(/another form/)
    expect(() => parse('https://example.com', wrong)).not.toThrow(wrong)
  }
})

test('a hook without an address is a mistake', () => {
  expect(() => parse(null)).toThrow(/has no address/)
  expect(() => parse('not a url')).toThrow(/has no address/)
})
