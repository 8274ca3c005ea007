import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readRssMb } from './peer.ts'
import type { Pando } from './start-pando.ts'

const bodyBytes = 50 * 1000 * 1000
const rows = 5_000
const sampleEveryMs = 50

export type MemoryResult = {
  readonly idleMb: number
  /** All processes of the embedded Postgres, shared memory counted once; undefined where the system does not tell. */
  readonly postgresMb?: number
  readonly largeInsert: {
    readonly bodyMb: number
    readonly seconds: number
    readonly beforeMb: number
    readonly peakMb: number
    readonly grewMb: number
  }
}

/** Resident memory of a server that has just started, and how far one insert of 50 MB of JSON drives it up. */
export async function measureMemory(pando: Pando, project: string): Promise<MemoryResult> {
  await sleep(2_000)
  const idleMb = round(pando.rssMb())
  const postgresMb = readPostgresMb(join(project, '.pando', 'postgres', 'data', 'postmaster.pid'))
  return { idleMb, postgresMb, largeInsert: await insertLarge(pando) }
}

async function insertLarge(pando: Pando): Promise<MemoryResult['largeInsert']> {
  const text = 'x'.repeat(bodyBytes / rows - '{"body":""},'.length)
  const body = `[${Array.from({ length: rows }, () => `{"body":"${text}"}`).join(',')}]`
  const prefer = { Prefer: 'return=minimal', 'Content-Type': 'application/json' }
  const { base, path, headers } = pando.toTarget({ method: 'POST', path: '/documents', headers: prefer })
  const beforeMb = readRssMb(pando.pid)
  let peakMb = beforeMb
  const sampler = setInterval(() => (peakMb = Math.max(peakMb, readRssMb(pando.pid))), sampleEveryMs)
  const startMs = performance.now()
  const answer = await fetch(base + path, { method: 'POST', headers, body }).finally(() => clearInterval(sampler))
  if (answer.status !== 201) throw new Error(`An insert was answered ${answer.status}: ${await answer.text()}`)
  return {
    bodyMb: round(body.length / 1e6),
    seconds: (performance.now() - startMs) / 1000,
    beforeMb: round(beforeMb),
    peakMb: round(peakMb),
    grewMb: round(peakMb - beforeMb),
  }
}

/** Linux: the proportional share of each process, so that shared memory is counted once. */
function readPostgresMb(pidFile: string): number | undefined {
  try {
    const postmaster = readFileSync(pidFile, 'utf8').split('\n')[0]!
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', postmaster], { encoding: 'utf8' })
    const pids = [postmaster, ...stdout.trim().split(/\s+/)]
    const shares = pids.map((pid) => /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))![1])
    return round(shares.reduce((sum, share) => sum + Number(share), 0) / 1024)
  } catch {
    return undefined
  }
}

const round = (mb: number): number => Math.round(mb * 10) / 10
