import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import { createPrivateFile, ensureStateFolder, stateFolder, writePrivateFile } from '../project/state-folder.ts'
import { identifyProcess, isAlive } from '@pando/postgres/embedded/process-identity'
import type { ProcessIdentity } from '@pando/postgres/embedded/process-identity'

/** What `.pando/dev.json` says while `pando dev` runs. The URLs appear when it is ready. */
export type DevState = ProcessIdentity & {
  readonly startedAt: string
  readonly apiUrl?: string
  readonly databaseUrl?: string
  /** As the owner, for other commands of this folder; the file is readable by its owner only. */
  readonly adminUrl?: string
}

/** The running `pando dev` of a project, or undefined; what a killed one left behind counts for nothing. */
export function findDev(root: string): DevState | undefined {
  const state = readState(join(stateFolder(root), 'dev.json'))
  return state !== undefined && isAlive(state) ? state : undefined
}

/** The held claim on a project folder. */
export type DevClaim = {
  /** Makes the URLs known to other commands. */
  publish(urls: { apiUrl: string; databaseUrl: string; adminUrl: string }): void
  release(): void
}

/**
 * Claims the folder for this process, or says who has it. Of two processes that start together one wins.
 */
export function claimDev(root: string, now: Date): { claim: DevClaim } | { holder: DevState } {
  const file = join(ensureStateFolder(root), 'dev.json')
  const own = identifyProcess(process.pid)
  const state: DevState = { pid: process.pid, startedAs: own?.startedAs ?? '', startedAt: now.toISOString() }
  for (;;) {
    if (createPrivateFile(file, JSON.stringify(state))) break
    const holder = readState(file)
    if (holder !== undefined && isAlive(holder)) return { holder }
    rmSync(file, { force: true })
  }
  const release = () => {
    if (readState(file)?.startedAs === state.startedAs) rmSync(file, { force: true })
  }
  return { claim: { publish: (urls) => writePrivateFile(file, JSON.stringify({ ...state, ...urls })), release } }
}

function readState(file: string): DevState | undefined {
  try {
    const state = JSON.parse(readFileSync(file, 'utf8')) as Partial<DevState>
    return typeof state.pid === 'number' && typeof state.startedAs === 'string' ? (state as DevState) : undefined
  } catch {
    return undefined
  }
}
