import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestProject } from 'vitest/node'
import { startTestCluster, type TestCluster } from './cluster.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Unix socket that answers each connection with a `ClusterAnswer` as JSON. */
    testClusterDoor: string
  }
}

/** What comes through the door. */
export type ClusterAnswer = { readonly cluster: TestCluster } | { readonly error: string }

/**
 * One PostgreSQL cluster for the whole run, started by the first test file that asks for a database; a run of pure
 * tests starts none. It lives in this process, because a worker's end would take it along.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pando-door-'))
  const door = path.join(folder, 'door')
  let starting: ReturnType<typeof startTestCluster> | undefined
  const answer = async (): Promise<ClusterAnswer> => {
    try {
      const { stop: _, ...cluster } = await (starting ??= startTestCluster())
      return { cluster }
    } catch (error) {
      return { error: describe(error) }
    }
  }
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    void answer().then((text) => socket.end(JSON.stringify(text)))
  })
  await new Promise<void>((resolve) => server.listen(door, resolve))
  await chmod(folder, 0o700)
  project.provide('testClusterDoor', door)
  return async () => {
    server.close()
    const cluster = await starting?.catch(() => undefined)
    await cluster?.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'report' in error ? String(error.report) : (error.stack ?? error.message)
}
