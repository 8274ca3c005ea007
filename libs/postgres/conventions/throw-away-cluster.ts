import { Client } from 'pg'
import { setPassword } from '../src/login.ts'
import { startScratchCluster } from '../src/testing/scratch-cluster.ts'

/** A cluster of its own, because roles and their settings belong to a cluster and these tests start without any. */
export type ThrowAwayCluster = {
  /** Opens a connection, as the superuser if nobody is named; `stop` closes it. */
  connect: (database: string, user?: string) => Promise<Client>
  stop: () => Promise<void>
}

/** Starts an empty PostgreSQL whose roles may all be logged in as. */
export async function startThrowAwayCluster(): Promise<ThrowAwayCluster> {
  const cluster = await startScratchCluster()
  const clients: Client[] = []
  const open = async (connectionString: string): Promise<Client> => {
    const client = new Client({ connectionString })
    await client.connect()
    clients.push(client)
    return client
  }
  const admin = await open(cluster.url)
  return {
    connect: async (database, user) => {
      if (user === undefined) return open(cluster.url.replace(/\/postgres$/, `/${database}`))
      await setPassword(admin, user, 'open')
      return open(cluster.urlAs(user, database))
    },
    stop: async () => {
      await Promise.all(clients.map((client) => client.end()))
      await cluster.stop()
    },
  }
}
