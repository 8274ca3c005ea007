import { rm } from 'node:fs/promises'
import path from 'node:path'
import { Client } from 'pg'
import { systemClock } from '@pando/core/clock'
import { deadlineIn } from '@pando/core/deadline'
import { startEmbeddedPostgres } from '../embedded/start.ts'
import type { Exchange, Statement } from '../exchange.ts'
import { makeTemporaryFolder } from '../testing/temporary-folder.ts'
import { createPipelinedPools, type PipelinedPools, type PipelinedPoolsOptions } from './pools.ts'

/**
 * A server of a test file's own, with the roles of a data API: it may be stopped, started and run out of connections.
 */
export type TestCluster = {
  /** As the login role `authenticator`. */
  readonly url: string
  /** On 127.0.0.1, if asked for; another one after each start. */
  readonly tcpPort: number | undefined
  /** Runs SQL as the superuser; the rows of the last statement. */
  admin(sql: string): Promise<Record<string, unknown>[]>
  pools(options?: Partial<PipelinedPoolsOptions>): PipelinedPools
  stop(): Promise<void>
  start(): Promise<void>
  remove(): Promise<void>
}

const rolesSql = `
  create role anon nologin;
  create role authenticated nologin;
  create role service_role nologin bypassrls;
  create role authenticator login noinherit password 'open';
  grant anon, authenticated, service_role to authenticator;
  grant usage, create on schema public to anon, authenticated, service_role;`

export async function startTestCluster(
  options: { readonly tcp?: boolean; readonly settings?: Record<string, string | number> } = {},
): Promise<TestCluster> {
  const { tcp = false, settings } = options
  const folder = await makeTemporaryFolder('pando-pipeline-')
  const start = () =>
    startEmbeddedPostgres({
      dataFolder: path.join(folder, 'data'),
      port: tcp ? 0 : undefined,
      durable: false,
      settings,
    })
  let server = await start()
  const opened: PipelinedPools[] = []
  const admin = async (sql: string) => {
    const client = new Client({ connectionString: server.url })
    await client.connect()
    try {
      const result = await client.query(sql)
      return (Array.isArray(result) ? result.at(-1) : result).rows
    } finally {
      await client.end()
    }
  }
  await admin(rolesSql)
  const url = server.url.replace(/\/\/[^@]*@/, '//authenticator:open@')
  return {
    url,
    get tcpPort() {
      return server.port
    },
    admin,
    pools(options) {
      const pools = createPipelinedPools({ url, applicationName: 'pando-test', ...options })
      opened.push(pools)
      return pools
    },
    stop: () => server.stop(),
    async start() {
      server = await start()
    },
    async remove() {
      await Promise.all(opened.map((pools) => pools.close()))
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A statement with text parameters. */
export function sql(text: string, ...params: Statement['params']): Statement {
  return { text, params }
}

/** A read as `anon` that has ten seconds, unless said otherwise. */
export function exchange(statement: Statement | readonly Statement[], more: Partial<Exchange> = {}): Exchange {
  const statements = Array.isArray(statement) ? statement : [statement as Statement]
  return { role: 'anon', access: 'read', statements, deadline: deadlineIn(systemClock, 10_000), ...more }
}

export function within(timeoutMs: number): Pick<Exchange, 'deadline'> {
  return { deadline: deadlineIn(systemClock, timeoutMs) }
}

/** The first cell of the last result, as text. */
export async function cell(pools: PipelinedPools, wanted: Exchange): Promise<string | null> {
  const results = await pools.run(wanted)
  return results.at(-1)?.rows[0]?.[0]?.toString() ?? null
}

/** Waits until a condition holds that nothing announces; fails after ten seconds. */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAtMs = performance.now() + 30_000
  while (!(await holds())) {
    if (performance.now() > giveUpAtMs) throw new Error(`This never held: ${holds.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
