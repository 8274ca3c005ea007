import { watchEndedSessions } from '@pando/auth'
import { createDatabase } from '@pando/postgres/database'
import type { ServerUrl } from '@pando/postgres/server-url'
import type { EndedSessionsPart, Shared } from './roles.ts'

/** Shorter than what people wait for: a node asks once a second, and what gave no answer is asked anew. */
const answerMsMax = 1_500

/** What a node knows of ended sessions, by a connection of its own as `authenticator`, whose `url` this is. */
export function createEndedSessions(
  { config, clock, logger, metrics }: Pick<Shared, 'config' | 'clock' | 'logger' | 'metrics'>,
  url: ServerUrl,
): EndedSessionsPart {
  const database = createDatabase({
    url,
    applicationName: 'pando sessions',
    connectionsMax: 1,
    connectMs: answerMsMax,
    answerMsMax,
    onConnectionLost: (error) => logger.warn({ err: error }, 'an idle connection to Postgres was lost'),
  })
  const watch = watchEndedSessions({
    database,
    clock,
    limits: { sessionsMax: config.jwt.endedSessionsMax, intervalMs: config.jwt.endedSessionsInterval },
    onReach: (failure) =>
      failure === undefined
        ? logger.info('it is known again which sessions have ended')
        : logger.warn({ err: failure.error }, 'which sessions end is not known now; their access tokens are taken'),
    onForgotten: (count) =>
      logger.warn({ count }, 'more sessions have ended than PANDO_JWT_ENDED_SESSIONS_MAX; the oldest are forgotten'),
  })
  metrics.gauge({
    name: 'auth_ended_sessions',
    help: 'Ended sessions whose access tokens this node refuses.',
    read: watch.size,
  })
  metrics.gauge({
    name: 'auth_ended_sessions_age_seconds',
    help: 'Since when this node has not heard which sessions have ended.',
    read: () => watch.ageMs() / 1000,
  })
  const stop = async (): Promise<void> => {
    await watch.stop()
    await database.close()
  }
  return { ...watch, stop }
}
