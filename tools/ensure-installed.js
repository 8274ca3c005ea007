// Runs under any Node ≥ 20, before anything is installed: `npm start`, `npm test` and `npm run bench` do their own set-up.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, process.argv[2] ?? '.')
const lock = join(folder, 'package-lock.json')
const installed = join(folder, 'node_modules', '.package-lock.json')

if (!isUpToDate()) {
  process.stderr.write(`Installing the packages of ${folder} (once, about half a minute) …\n`)
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (error !== undefined) process.stderr.write(`npm could not be started: ${error.message}\n`)
  process.exitCode = status ?? 1
}

/** The lock file that npm keeps inside node_modules lists what is there; it must name the same versions as ours. */
function isUpToDate() {
  if (!existsSync(installed) || !existsSync(join(folder, 'node_modules'))) return false
  if (statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return true
  const wanted = JSON.parse(readFileSync(lock, 'utf8')).packages
  const found = JSON.parse(readFileSync(installed, 'utf8')).packages
  return (
    Object.entries(found).every(([path, entry]) => wanted[path]?.version === entry.version) &&
    Object.entries(wanted).every(
      ([path, entry]) =>
        path === '' || entry.optional || entry.link || path in found || !path.startsWith('node_modules'),
    )
  )
}
