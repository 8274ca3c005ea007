import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Files of the working tree that git tracks or would track, relative to the root, that `pattern` matches. Never empty. */
export function listFiles(pattern: RegExp): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate'], {
    cwd: root,
    encoding: 'utf8',
  })
  const deleted = new Set(execFileSync('git', ['ls-files', '--deleted'], { cwd: root, encoding: 'utf8' }).split('\n'))
  const files = listed.split('\n').filter((file) => pattern.test(file) && !deleted.has(file))
  if (files.length === 0) throw new Error(`No file matches ${pattern}: the check would look at nothing.`)
  return files
}
