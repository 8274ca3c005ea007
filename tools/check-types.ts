import { execFile } from 'node:child_process'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { listFiles, root } from './source-files.ts'

/** What is compiled for itself: the house, and what runs in a browser, where other globals exist. */
export const projects = ['.', 'examples/roam/page'] as const

/** Files of which the compiler's list says nothing, a line each. */
export function findUntyped(files: readonly string[], listed: readonly string[]): string[] {
  const seen = new Set(listed.map((path) => relative(root, path)))
  return files.filter((file) => !seen.has(file)).map((file) => `${file}: no type check looks at it (tsconfig.json)`)
}

/** Every TypeScript file of ours that the compiler does not look at; of those nothing would be said at all. */
export async function checkTyped(): Promise<string[]> {
  const files = listFiles(/\.ts$/)
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const options = { cwd: root, maxBuffer: 64 * 1024 ** 2 }
  const lists = await Promise.all(
    projects.map((project) => promisify(execFile)(tsc, ['--listFilesOnly', '--project', project], options)),
  )
  return findUntyped(
    files,
    lists.flatMap(({ stdout }) => stdout.split('\n')),
  )
}
