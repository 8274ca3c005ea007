import { bareRoutine, emptyCatalogue } from '@pando/catalogue/testing/empty-catalogue'
import { nameKey } from '@pando/catalogue/catalogue'
import { expect, test } from 'vitest'
import { createCompiler } from './compiler.ts'
import { restOptions } from './config.ts'
import type { RestOptions } from './config.ts'
import { toEffectiveConfig } from './effective-config.ts'
import { parseRequest } from './request/parse-request.ts'

const name = { schema: 'public', name: 'shout' }
const catalogue = {
  ...emptyCatalogue,
  routines: new Map([[nameKey(name), [bareRoutine(name, []), bareRoutine(name, [''])]]]),
}
const defaults = Object.fromEntries(
  Object.entries(restOptions.options).map(([option, { default: value }]) => [option, value]),
) as unknown as RestOptions
const { config } = toEffectiveConfig(defaults, new Map())

function call(compile: ReturnType<typeof createCompiler>, keys: readonly string[]) {
  const raw = { method: 'POST', path: '/rpc/shout', rawQuery: '', header: () => undefined }
  const body = { kind: 'json', isArray: false, isEmptyArray: false, keys } as const
  return compile(parseRequest(raw, { schemas: ['public'] }), body)
}

test('a shape is compiled once', () => {
  const compile = createCompiler(catalogue, config, 10)
  expect(call(compile, [])).toBe(call(compile, []))
})

test('one empty key is not the same body as none: another overload is meant', () => {
  const compile = createCompiler(catalogue, config, 10)
  expect(call(compile, []).statement.params).toEqual([])
  expect(call(compile, ['']).statement.params).toEqual([{ from: 'body' }])
})
