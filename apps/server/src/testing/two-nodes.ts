import type { RealtimeClient } from '@supabase/supabase-js'
import { connectRealtime, type RealtimeWishes } from './realtime-client.ts'
import { type Api, startApi } from './start-api.ts'

/** Two nodes of one deployment, and the clients that a test connects to them. */
export type TwoNodes = {
  readonly one: Api
  readonly other: Api
  /** A client of the SDK; it leaves with `leave`. */
  connect(place: Pick<Api, 'url' | 'keys'>, wishes?: RealtimeWishes): RealtimeClient
  leave(): Promise<void>
  stop(): Promise<void>
}

/** They hear of each other at once. */
export const nodeEnvironment = {
  PANDO_BUS_HEARTBEAT: '100ms',
  PANDO_BUS_SILENCE: '3s',
  PANDO_JWT_ENDED_SESSIONS_INTERVAL: '100ms',
}

/** `sql` runs once, like a migration. */
export async function startTwoNodes(sql: string): Promise<TwoNodes> {
  const one = await startApi({ sql, environment: nodeEnvironment })
  const other = await startApi({ beside: one, environment: nodeEnvironment })
  const clients: RealtimeClient[] = []
  return {
    one,
    other,
    connect: (place, wishes) => {
      const client = connectRealtime(place, wishes)
      clients.push(client)
      return client
    },
    leave: async () => {
      await Promise.all(clients.splice(0).map((client) => client.removeAllChannels()))
    },
    stop: async () => {
      await other.stop()
      await one.stop()
    },
  }
}

let names = 0
/** Of a channel that nobody has been in. */
export const newName = (): string => `name ${++names} ü:🌳`
