import type { ChangeReader } from '@pando/changes/reader'
import type { HttpService } from '@pando/http/service'
import { createDatabase } from '@pando/postgres/database'
import { listen } from '@pando/postgres/listen'
import type { ServerUrl } from '@pando/postgres/server-url'
import { createRealtime } from '@pando/realtime'
import type { Shared } from './roles.ts'

/** Connections for policies of channels, which many wait for who join at once, and for those of rows that change. */
const connectionsMax = 5

/** Channels, with the log of the database that they follow. */
export function createRealtimeService(
  { authenticate, bus, config, clock, logger, metrics, onSessionEnded }: Shared,
  { realtimeUrl, listenUrl }: Readonly<Record<'realtimeUrl' | 'listenUrl', ServerUrl>>,
  reader: ChangeReader,
): HttpService {
  const open = (url: ServerUrl, applicationName: string, prepares: boolean) =>
    createDatabase({
      url,
      applicationName,
      connectionsMax,
      prepares,
      onConnectionLost: (error) => logger.warn({ err: error }, 'an idle connection to Postgres was lost'),
    })
  const asCallers = open(listenUrl, 'pando realtime rows', false)
  const schema = createSchemaNotices(listenUrl, config.rest.channel)
  const service = createRealtime({
    authenticate,
    onSessionEnded,
    database: open(realtimeUrl, 'pando realtime', true),
    changes: { reader, database: asCallers, onSchemaChanged: schema.onChanged },
    bus,
    listen: (what) => listen({ ...what, url: listenUrl, applicationName: 'pando documents' }),
    clock,
    logger,
    metrics,
    options: config.realtime,
  })
  return {
    ...service,
    start: async () => {
      schema.start()
      await service.start()
    },
    stop: async () => {
      await service.stop()
      await Promise.all([schema.stop(), asCallers.close()])
    },
  }
}

/** Hears of each change of the schema: its policies may be others. */
function createSchemaNotices(url: ServerUrl, channel: string) {
  const listeners = new Set<() => void>()
  const tell = (): void => listeners.forEach((listener) => listener())
  let listener: ReturnType<typeof listen> | undefined
  return {
    onChanged: (callback: () => void): (() => void) => {
      listeners.add(callback)
      return () => listeners.delete(callback)
    },
    start: (): void => {
      const applicationName = 'pando realtime notices'
      listener = listen({ url, applicationName, channels: [channel], onNotice: tell, onReconnected: tell })
    },
    stop: async (): Promise<void> => listener?.stop(),
  }
}
