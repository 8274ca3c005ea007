import { expect, test } from 'vitest'
import { mustKeepKey } from './must-keep-key.ts'
import type { CompiledRequest } from './plan/compiled-request.ts'
import { parseRequest } from './request/parse-request.ts'

const keptKey = { column: 'tenant', slot: 0 }

function keep(body: string, key: string, compiled: Partial<CompiledRequest> = { keptKey }): void {
  const asked = { method: 'PATCH', path: '/boats', rawQuery: `tenant=eq.${key}`, header: () => undefined }
  const request = parseRequest(asked, { schemas: ['api'] })
  mustKeepKey({ compiled: compiled as CompiledRequest, request, body: [Buffer.from(body)] })
}

test.each([
  ['{"tenant": "a", "name": "x"}', 'a'],
  ['[{"tenant": "a"}]', 'a'],
  ['{"tenant": 9007199254740993}', '9007199254740993'],
])('%s repeats %s', (body, key) => {
  expect(() => keep(body, key)).not.toThrow()
})

test.each([
  ['{"tenant": "b"}', 'a'],
  ['{"tenant": null}', 'a'],
  ['{"name": "a"}', 'a'],
  ['[]', 'a'],
  ['{"tenant": 9007199254740993}', '9007199254740992'],
])('%s is refused where it is about %s', (body, key) => {
  expect(() => keep(body, key)).toThrow(expect.objectContaining({ code: 'PGRST127', status: 400 }))
})

test('without a key that is kept no body is looked at', () => {
  expect(() => keep('no JSON', 'a', {})).not.toThrow()
})
