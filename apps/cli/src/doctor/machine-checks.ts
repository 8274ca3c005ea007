import { existsSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { findDev } from '../dev/dev-file.ts'
import { describeHolder, findPortHolder, isPortFree } from '../dev/port-holder.ts'
import type { Project } from '../project/load-project.ts'
import { stateFolder } from '../project/state-folder.ts'
import { formatBytes } from '../terminal/format.ts'
import { fail, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

const nodeMajorMin = 26

export function checkNode(version: string): Finding {
  if (Number.parseInt(version, 10) >= nodeMajorMin) return ok('node', `Node ${version}`)
  return fail(
    'node',
    `Node ${version} is too old; Pando runs on ${nodeMajorMin}`,
    'Run `npm install`, and start Pando with `npx pando`.',
  )
}

/** A new cluster takes 40 MB and its WAL up to 1 GB more. */
const freeBytesWanted = 2_000_000_000
const freeBytesMin = 200_000_000

export function checkDisk(root: string): Finding {
  const { bavail, bsize } = statfsSync(root)
  const free = bavail * bsize
  const text = `${formatBytes(free)} free in ${root}`
  const remedy = `Free some space on the disk of ${root}; PostgreSQL stops when it is full.`
  if (free < freeBytesMin) return fail('disk', text, remedy)
  return free < freeBytesWanted ? warn('disk', text, remedy) : ok('disk', text)
}

/** The port is free, or this project's own `pando dev` has it. */
export async function checkPort(project: Project, subject: string, port: number): Promise<Finding> {
  if (await isPortFree(port, '127.0.0.1')) return ok(subject, `port ${port} is free`)
  const dev = findDev(project.root)
  const urls = [dev?.apiUrl, dev?.databaseUrl]
  if (urls.some((url) => url !== undefined && new URL(url).port === String(port))) {
    return ok(subject, `port ${port} is held by this project's pando dev (pid ${dev?.pid})`)
  }
  const holder = await findPortHolder(port)
  const who = describeHolder(holder)
  return warn(
    subject,
    `port ${port} is held by ${who}`,
    `Stop it, or choose another port: --port, --db-port, or port = … in config.toml.`,
  )
}

const ownerOnly = 0o077

/** What holds secrets is readable by its owner alone. */
export function checkPermissions(project: Project): Finding {
  const folder = stateFolder(project.root)
  const open = ['keys.json', 'signing-keys.json', 'dev.json', join('postgres', 'password'), join('postgres', 'data')]
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path) && (statSync(path).mode & ownerOnly) !== 0)
  if (open.length === 0) return ok('permissions', 'keys and data are readable by their owner only')
  return fail('permissions', `other users may read ${open.join(', ')}`, `Run: chmod -R go-rwx ${open.join(' ')}`)
}

/** What `config.toml` says that has no effect; `unread` are keys of `[auth]`, which the server reads. */
export function checkConfig(project: Project, unread: readonly string[]): Finding[] {
  const { unsetVariables } = project.file
  const ignored = [...project.file.ignored, ...unread]
  const findings = [ok('project', `${project.kind}/ in ${project.root}`)]
  if (ignored.length > 0) {
    findings.push(
      warn('config.toml', `not used by Pando: ${ignored.join(', ')}`, 'Nothing, unless you count on one of them.'),
    )
  }
  if (unsetVariables.length > 0) {
    findings.push(
      warn(
        'variables',
        `env(…) without a value: ${unsetVariables.join(', ')}`,
        'Set them in the shell or in .env where you need them.',
      ),
    )
  }
  return findings
}
