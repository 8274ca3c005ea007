import type { HttpService } from '@pando/http/service'
import { credentialsOf } from '@pando/http/credentials'
import type { Recall } from '@pando/http/auth/authenticator'
import type { Queries } from '@pando/postgres/database'
import { parseLsn, printLsn, type Lsn } from '@pando/postgres/lsn'
import { commitHeader, nameOfCaller } from '@pando/rest'
import type { FastifyPluginCallback, FastifyRequest } from 'fastify'
import type { SharedCommits } from './shared-commits.ts'

export type NoteWritesDeps = {
  /** The primary, as the service itself finds it. */
  readonly database: Queries
  readonly commits: SharedCommits
  readonly recall: Recall
}

/**
 * The same service, whose writes count as those of the data API do: who asked for one, and whose account it was about, is shown
 * no older state afterwards, by replicas as little as by kept answers.
 */
export function noteWrites(service: HttpService, { database, commits, recall }: NoteWritesDeps): HttpService {
  const plugin: FastifyPluginCallback = (app, _options, done) => {
    app.addHook('onSend', async (request, reply) => {
      const { statusCode } = reply
      if (reading.has(request.method) || (statusCode >= 400 && statusCode < 500)) return
      const place = statusCode >= 500 ? undefined : await findPlace(database)
      for (const caller of listCallers(request, recall)) commits.wrote(caller, place)
      if (place !== undefined) reply.header(commitHeader, printLsn(place))
    })
    app.register(service.plugin as FastifyPluginCallback)
    done()
  }
  return { ...service, plugin }
}

const reading = new Set(['GET', 'HEAD', 'OPTIONS'])

function listCallers({ raw, params }: FastifyRequest, recall: Recall): string[] {
  const caller = recall(credentialsOf(raw))
  const { user_id: account } = params as { readonly user_id?: unknown }
  return [...(caller === undefined ? [] : [nameOfCaller(caller)]), ...(typeof account === 'string' ? [account] : [])]
}

/** Behind everything that is committed by now; undefined when the primary does not say it. */
async function findPlace(database: Queries): Promise<Lsn | undefined> {
  try {
    const [row] = await database.query<{ lsn: string }>('select pg_current_wal_insert_lsn()::text as lsn', [])
    return parseLsn(row!.lsn)
  } catch {
    return undefined
  }
}
