import { execFile } from 'node:child_process'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { listFiles, root } from './source-files.ts'

/** Files of which the compiler's list says nothing, a line each. */
export function findUntyped(files: readonly string[], listed: readonly string[]): string[] {
  const seen = new Set(listed.map((path) => relative(root, path)))
  return files.filter((file) => !seen.has(file)).map((file) => `${file}: no type check looks at it (tsconfig.json)`)
}

/** Every TypeScript file of ours that the compiler does not look at; of those nothing would be said at all. */
export async function checkTyped(): Promise<string[]> {
  const files = listFiles(/\.ts$/)
  const tsc = join(root, 'node_modules', '.bin', 'tsc')
  const { stdout } = await promisify(execFile)(tsc, ['--listFilesOnly'], { cwd: root, maxBuffer: 64 * 1024 ** 2 })
  return findUntyped(files, stdout.split('\n'))
}
