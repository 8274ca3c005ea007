import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import pg from 'pg'
import type { MemoryResult } from './memory.ts'
import type { Plan, Row } from './measure.ts'
import { benchFolder } from './peer.ts'
import type { StartUpResult } from './start-up.ts'

/** Where, when and how something was measured. */
export type Run<P> = {
  readonly at: string
  readonly commit: string
  readonly machine: { readonly cpu: string; readonly cores: number; readonly memoryGb: number; readonly system: string }
  readonly pinning: string
  readonly versions: Readonly<Record<string, string>>
  readonly plan: P
}

/** Everything that one run found, as it is written to `results/rest.json`. */
export type Report = Run<Plan> & {
  readonly startUp?: StartUpResult
  readonly memory?: MemoryResult
  readonly idleRssMb: Readonly<Record<string, number>>
  readonly rows: readonly Row[]
}

export async function describeRun<P>(databaseUrl: string, plan: P): Promise<Run<P>> {
  return {
    at: new Date().toISOString(),
    commit: output('git', 'describe', '--always', '--dirty'),
    machine: {
      cpu: cpus()[0]?.model ?? '',
      cores: cpus().length,
      memoryGb: Math.round(totalmem() / 2 ** 30),
      system: output('uname', '-sr'),
    },
    pinning: 'none: load, servers and Postgres share all cores',
    versions: {
      node: process.version,
      postgres: await readServerVersion(databaseUrl),
      pgbench: output('pgbench', '--version').replace(/^pgbench \(PostgreSQL\) /, ''),
      wrk: /wrk (\S+)/.exec(output('wrk', '-v'))?.[1] ?? '',
      go: /go([\d.]+)/.exec(output('go', 'version'))?.[1] ?? '',
      pocketbase: /pocketbase\/pocketbase v(\S+)/.exec(
        readFileSync(`${benchFolder}peers/pocketbase/go.mod`, 'utf8'),
      )![1]!,
      ...readPackageVersions(['fastify', 'pg', 'parse-server']),
    },
    plan,
  }
}

function output(command: string, ...args: string[]): string {
  const { stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: benchFolder })
  return (stdout || stderr || '').trim()
}

function readPackageVersions(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => {
      const file = readFileSync(`${benchFolder}node_modules/${name}/package.json`, 'utf8')
      return [name, (JSON.parse(file) as { version: string }).version]
    }),
  )
}

async function readServerVersion(databaseUrl: string): Promise<string> {
  const client = new pg.Client(databaseUrl)
  await client.connect()
  const { rows } = await client.query<{ version: string }>("select current_setting('server_version') as version")
  await client.end()
  return rows[0]!.version
}
