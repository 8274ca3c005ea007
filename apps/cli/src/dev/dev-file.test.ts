import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { claimDev, findDev } from './dev-file.ts'
import { findPortHolder, isPortFree } from './port-holder.ts'
import { identifyProcess } from '@pando/postgres/embedded/process-identity'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'

const now = new Date('2026-01-31T09:45:00Z')
let root: string

beforeEach(async () => {
  root = await makeTemporaryFolder('pando-dev-file-')
})
afterEach(() => rmSync(root, { recursive: true }))

function mustClaim() {
  const outcome = claimDev(root, now)
  if ('holder' in outcome) throw new Error(`held by ${outcome.holder.pid}`)
  return outcome.claim
}

it('gives a folder to one process and tells the next who has it', () => {
  const claim = mustClaim()
  claim.publish({ apiUrl: 'http://127.0.0.1:1', databaseUrl: 'postgres://x', adminUrl: 'postgres://y' })
  expect(claimDev(root, now)).toMatchObject({ holder: { pid: process.pid, apiUrl: 'http://127.0.0.1:1' } })
  claim.release()
  expect(findDev(root)).toBeUndefined()
  mustClaim().release()
})

it('takes no notice of what a killed process left behind', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const identity = identifyProcess(child.pid ?? 0)
  mustClaim().release()
  writeFileSync(join(root, '.pando', 'dev.json'), JSON.stringify({ ...identity, startedAt: now.toISOString() }))
  expect(findDev(root)?.pid).toBe(child.pid)
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(findDev(root)).toBeUndefined()
  mustClaim().release()
})

it('tells a process from a later one with the same number, and survives a damaged file', () => {
  mustClaim().release()
  for (const text of [JSON.stringify({ pid: process.pid, startedAs: 'another time', startedAt: '' }), '{', '']) {
    writeFileSync(join(root, '.pando', 'dev.json'), text)
    expect(findDev(root)).toBeUndefined()
    mustClaim().release()
  }
})

it('knows who listens on a port', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  expect(await isPortFree(port, '127.0.0.1')).toBe(false)
  expect(await findPortHolder(port)).toMatchObject({ pid: process.pid })
  server.close()
  await once(server, 'close')
  expect(await isPortFree(port, '127.0.0.1')).toBe(true)
  expect(await findPortHolder(port)).toBeUndefined()
})
