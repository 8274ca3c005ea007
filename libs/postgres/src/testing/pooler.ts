import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { freePort } from './free-port.ts'

/** pgbouncer in transaction mode, in front of one server. */
export type TestPooler = {
  /** As `host:port`. */
  readonly name: string
  /** Database `postgres` as `authenticator`. */
  readonly url: string
  stop(): Promise<void>
}

export const isPoolerInstalled = spawnSync('pgbouncer', ['--version']).status === 0

const nobody = 65_534

/** `serverPort` is of 127.0.0.1; `authenticator` must have the password `open` there. */
export async function startPooler(options: {
  readonly serverPort: number
  readonly backendsMax: number
}): Promise<TestPooler> {
  const port = await freePort()
  const folder = await mkdtemp(path.join(tmpdir(), 'pando-pooler-'))
  await writeFile(
    path.join(folder, 'pgbouncer.ini'),
    `[databases]
postgres = host=127.0.0.1 port=${options.serverPort} dbname=postgres user=authenticator password=open
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${options.backendsMax}
max_client_conn = 200
`,
  )
  const isRoot = process.getuid?.() === 0
  if (isRoot) await chown(folder, nobody, nobody)
  const bouncer = spawn('pgbouncer', [path.join(folder, 'pgbouncer.ini')], {
    stdio: 'ignore',
    ...(isRoot ? { uid: nobody, gid: nobody } : {}),
  })
  return {
    name: `127.0.0.1:${port}`,
    url: `postgres://authenticator@127.0.0.1:${port}/postgres`,
    async stop() {
      const ended = once(bouncer, 'exit')
      if (!bouncer.kill()) return
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}
