import { Client } from 'pg'
import { loginUrl } from '../login.ts'

type Server = { readonly host: string; readonly port: number }

/** Makes a database on the coordinator that `url` names and on its workers, and joins them to a cluster of their own. */
export async function createCitusDatabase(url: string, name: string): Promise<void> {
  const workers = await listWorkers(url)
  const urls = [url, ...workers.map((worker) => at(url, worker))]
  for (const server of urls) {
    await run(server, [`create database ${name}`])
    await run(loginUrl(server, { database: name }), ['create extension citus'])
  }
  const { hostname, port } = new URL(url)
  await run(loginUrl(url, { database: name }), [
    `select citus_set_coordinator_host('${hostname}', ${port})`,
    ...workers.map((worker) => `select citus_add_node('${worker.host}', ${worker.port})`),
  ])
}

export async function dropCitusDatabase(url: string, name: string): Promise<void> {
  const workers = await listWorkers(url)
  // Citus' own daemon on the coordinator would go on asking the workers.
  for (const server of [url, ...workers.map((worker) => at(url, worker))]) {
    await run(server, [`drop database if exists ${name} with (force)`])
  }
}

async function listWorkers(url: string): Promise<Server[]> {
  const rows = await run(url, ['select nodename as host, nodeport as port from pg_dist_node where shouldhaveshards'])
  return rows as Server[]
}

function at(url: string, { host, port }: Server): string {
  const changed = new URL(url)
  changed.host = `${host}:${port}`
  return changed.href
}

/** The rows of the last statement. */
async function run(url: string, statements: readonly string[]): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    let rows: unknown[] = []
    for (const statement of statements) rows = (await client.query(statement)).rows
    return rows
  } finally {
    await client.end()
  }
}
