import { expect, it } from 'vitest'
import { kindOf } from './kind-of.ts'

it.each([
  ['GET', '/rest/v1/posts?select=*', 'GET posts'],
  ['POST', '/rest/v1/rpc/nearby?limit=1', 'POST rpc/nearby'],
  ['GET', '/rest/v1/', 'GET '],
  ['GET', '/rest/v1', 'GET '],
  ['POST', '/rest/v1/rpc', 'POST rpc'],
  ['GET', '/rest/v1/posts/more', 'GET posts'],
])('%s %s is of the kind "%s"', (method, url, kind) => {
  expect(kindOf(method, url, '/rest/v1'.length)).toBe(kind)
})
