import { expect, test } from 'vitest'
import { checkPaths, pathsNamedIn } from './check-paths.ts'

test('code spans and relative links are paths, globs, fences and web links are not', () => {
  const markdown = [
    'See `libs/core/src/caller.ts` and [the glossary](docs/glossary.md#caller), not `libs/*` or [a page](https://example.org/a.md).',
    '```',
    '`libs/none.ts`',
    '```',
  ].join('\n')
  expect(pathsNamedIn(markdown)).toEqual(['libs/core/src/caller.ts', 'docs/glossary.md'])
})

test('every path that a document names exists', () => {
  expect(checkPaths()).toEqual([])
})
