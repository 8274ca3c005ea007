import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LoadResult } from './wrk.ts'
import { userId } from './workloads.ts'

/**
 * The ceiling: the same statement without any server in between, prepared, 16 clients, as the signed-in user (role and
 * claims are set once per connection, so this asks less of Postgres than a request does).
 */
export function runPgbench(sql: string, { url, seconds }: { url: string; seconds: number }): LoadResult {
  const folder = mkdtempSync(join(tmpdir(), 'pando-bench-'))
  const script = join(folder, 'statement.sql')
  writeFileSync(
    script,
    `\\set key 2 * random(1, 50000)\n\\set small 2 * random(1, 100)\n${sql.replaceAll('\n', ' ')}\n`,
  )
  const args = ['-n', '-M', 'prepared', '-c', '16', '-j', '1', '-T', String(seconds), '-f', script, url]
  const { stdout, stderr, error, status } = spawnSync(findPgbench(), args, {
    encoding: 'utf8',
    env: {
      ...process.env,
      PGOPTIONS: `-c role=authenticated -c request.jwt.claims={"sub":"${userId}","role":"authenticated"}`,
    },
  })
  rmSync(folder, { recursive: true })
  const rate = /tps = ([\d.]+)/.exec(stdout ?? '')?.[1]
  const latency = /latency average = ([\d.]+) ms/.exec(stdout ?? '')?.[1]
  if (rate === undefined) throw new Error(`pgbench did not run (${error?.message ?? `exit ${status}`}): ${stderr}`)
  return { requestsPerSecond: Number(rate), p50Ms: Number(latency), p99Ms: Number.NaN }
}

/** Debian keeps it out of PATH, in a folder per version. */
function findPgbench(): string {
  const versions = '/usr/lib/postgresql'
  if (!existsSync(versions)) return 'pgbench'
  const found = readdirSync(versions)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(versions, version, 'bin', 'pgbench'))
    .find((path) => existsSync(path))
  return found ?? 'pgbench'
}
