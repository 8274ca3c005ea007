import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { routes } from '../routes.ts'

const source = path.join(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(path.join(source, file), 'utf8')

const ways = [...read('sessions/README.md').matchAll(/^\| `(\w+) (\S+)`.*\| `(\S+)` *\|$/gm)].map(
  ([, method = '', url = '', file = '']) => ({ method, url, file }),
)

/** Whoever gives out a session calls one of these; the folder itself makes them. */
const gives = /\b(?:startSession|continueAtAal2|refreshSession)\(/
const givers = globSync('**/*.ts', { cwd: source }).filter(
  (file) => !file.startsWith('sessions/') && !file.endsWith('.test.ts') && gives.test(read(file)),
)

test('every way to a session is documented, and none that is gone', () => {
  expect(givers.length).toBeGreaterThan(0)
  expect(ways.map(({ file }) => file).toSorted()).toEqual(givers.toSorted())
})

test('every documented way is an endpoint with a limit', () => {
  const limited = new Set(
    routes.filter(({ isLimited }) => isLimited).map(({ method, path: url }) => `${method} ${url}`),
  )
  expect(ways.filter(({ method, url }) => !limited.has(`${method} ${url}`))).toEqual([])
})
