import { expect, test } from 'vitest'
import { checkLayers, importsOf, packageOf, refuseImport } from './check-layers.ts'

const folders = new Map([
  ['@pando/core', 'libs/core'],
  ['@pando/rest', 'services/rest'],
  ['@pando/auth', 'services/auth'],
  ['@pando/server', 'apps/server'],
])

test.each([
  ['libs/core/src/a.ts', '@pando/rest', 'a floor above'],
  ['services/rest/src/a.ts', '@pando/server/compose', 'a floor above'],
  ['services/rest/src/a.ts', '@pando/auth', 'no service imports another'],
  ['services/rest/src/a.ts', '../../auth/src/x.ts', 'leaves its package'],
  ['contract/src/a.ts', 'node:fs', 'also runs on a phone'],
  ['clients/js/src/a.ts', 'node:fs', 'also runs on a phone'],
  ['clients/js/src/a.ts', '@pando/core/clock', 'clients import contract alone'],
  ['services/rest/src/a.ts', 'jose', 'only libs/http'],
])('%s may not import %s', (file, specifier, reason) => {
  expect(refuseImport({ file, specifier }, folders)).toContain(reason)
})

test.each([
  ['services/rest/src/a.ts', '@pando/core/caller'],
  ['services/rest/src/a.ts', './b.ts'],
  ['services/rest/src/plan/a.ts', '../errors.ts'],
  ['apps/server/src/a.ts', '@pando/rest'],
  ['libs/http/src/a.ts', 'jose'],
  ['services/rest/src/a.ts', 'fastify'],
  ['clients/js/src/a.test.ts', '@pando/server/testing/start-api'],
  ['clients/js/src/testing/a.ts', 'node:net'],
])('%s may import %s', (file, specifier) => {
  expect(refuseImport({ file, specifier }, folders)).toBeUndefined()
})

test('static, type-only, re-exported and dynamic imports are all seen', () => {
  const source = `import type { A } from './a.ts'\nexport { b } from './b.ts'\nawait import('./c.ts')\nimport './d.ts'`
  expect(
    importsOf('x.ts', source)
      .map((found) => found.specifier)
      .sort(),
  ).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts'])
})

test('packages are two folders deep, except contract and tools', () => {
  expect(packageOf('services/rest/src/plan/x.ts')).toBe('services/rest')
  expect(packageOf('contract/src/x.ts')).toBe('contract')
})

test('the house keeps its floors', () => {
  expect(checkLayers()).toEqual([])
})
