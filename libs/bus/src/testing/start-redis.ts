import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { freePort } from '@pando/postgres/testing/free-port'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'

export type TestRedis = {
  readonly url: string
  /** Kills it at once, as a crash does, unless it is dead already. */
  kill(): Promise<void>
  /** Starts it again at the same address, empty. */
  restart(): Promise<void>
  /** It keeps its connections and does nothing, until `thaw`. */
  freeze(): void
  thaw(): void
  stop(): Promise<void>
}

/**
 * Starts a Redis of its own that keeps nothing on disk. `flags` are further ones, such as `--cluster-enabled yes`.
 * `PANDO_TEST_REDIS_SERVER` names another program than `redis-server`, such as the one of Valkey.
 */
export async function startRedis(flags: readonly string[] = []): Promise<TestRedis> {
  const port = await freePort()
  const folder = await makeTemporaryFolder('pando-redis-')
  const settings = ['--port', String(port), '--dir', folder, ...flags]
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true })
  let server = await run(settings).catch(async (error: unknown) => {
    await removeFolder()
    throw error
  })
  const kill = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const exited = once(server, 'exit')
    server.kill('SIGKILL')
    await exited
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    kill,
    restart: async () => {
      await kill()
      server = await run(settings)
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    stop: async () => {
      await kill()
      await removeFolder()
    },
  }
}

async function run(flags: readonly string[]) {
  const program = process.env['PANDO_TEST_REDIS_SERVER'] ?? 'redis-server'
  const settings = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn(program, [...settings, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  const failed = once(server, 'error').then(([cause]) => {
    throw new Error(`${program} cannot be started: install it (Debian: apt-get install redis-server)`, { cause })
  })
  const exited = once(server, 'exit').then(([code]) => {
    throw new Error(`${program} ended at its start with code ${code}`)
  })
  await Promise.race([isReady(createInterface(server.stdout)), failed, exited])
  for (const never of [failed, exited]) never.catch(() => undefined)
  // What nobody reads must not fill the pipe.
  server.stdout.resume()
  return server
}

async function isReady(lines: AsyncIterable<string>): Promise<void> {
  for await (const line of lines) if (line.includes('Ready to accept connections')) return
}
