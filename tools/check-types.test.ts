import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkTyped, findUntyped } from './check-types.ts'
import { root } from './source-files.ts'

test('a file that the compiler does not list is a complaint', () => {
  const listed = [join(root, 'libs/core/src/a.ts'), join(root, 'node_modules/typescript/lib/lib.es5.d.ts')]
  expect(findUntyped(['libs/core/src/a.ts', 'bench/src/b.ts'], listed)).toEqual([
    'bench/src/b.ts: no type check looks at it (tsconfig.json)',
  ])
  expect(findUntyped(['libs/core/src/a.ts'], [])).toHaveLength(1)
})

test('the compiler looks at every file of the house, also of the bench', async () => {
  expect(await checkTyped()).toEqual([])
})
