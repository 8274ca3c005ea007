import { PostgresError, PostgresUnavailable } from '@pando/postgres/errors'
import type { Logger } from '@pando/telemetry/logger'

/** Why a channel cannot be joined, as the wire says it: a code of the protocol and a text. */
export class JoinRejection extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** What exactly a policy raised is the project's own business; it is in the log. */
const policiesFailed = 'The policies of this channel could not be asked'

/** What the client is told; whatever is not its own doing is in the log. */
export function toReason(error: unknown, logger: Logger): string {
  if (error instanceof JoinRejection) return `${error.code}: ${error.message}`
  logger.warn({ err: error }, 'a channel could not be joined')
  if (error instanceof PostgresError) return `UnableToSetPolicies: ${policiesFailed}`
  if (error instanceof PostgresUnavailable)
    return 'UnableToConnectToProject: Realtime was unable to connect to the project database'
  return 'UnknownErrorOnChannel: Unknown Error on Channel'
}
