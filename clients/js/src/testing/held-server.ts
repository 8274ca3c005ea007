import { readServerConfig } from '@pando/server/config'
import { createFactories } from '@pando/server/factories'
import { startServer } from '@pando/server/start-server'
import type { HeldServer } from './hold-server.ts'

// A node in a process of its own: where Postgres is and its options come as JSON, its URL is printed.
const { addresses, environment } = JSON.parse(process.argv[2]!) as HeldServer
const { url } = await startServer(readServerConfig({ environment }), createFactories(addresses, { mailbox: true }))
process.stdout.write(`${url}\n`)
