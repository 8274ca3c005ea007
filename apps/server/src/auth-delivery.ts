import { createDelivery, type DeliveryObservation, type Outbox } from '@pando/auth'
import type { Logger } from '@pando/telemetry/logger'
import { randomBytes } from 'node:crypto'
import type { Shared } from './roles.ts'

/** How the auth service's messages leave this node; into `outbox` what nobody here delivers. */
export function createAuthDelivery({ config, clock, logger }: Shared, outbox: Outbox | undefined) {
  return createDelivery({
    options: config.auth,
    clock,
    randomBytes,
    outbox,
    observe: (observation) => log(logger, observation),
  })
}

const lines = {
  mail_sent: { level: 'debug', text: 'a mail was taken by the mail server' },
  mail_deferred: { level: 'warn', text: 'the mail server did not take a mail; it is offered again' },
  mail_failed: { level: 'error', text: 'a mail could not be sent' },
  mails_dropped: { level: 'error', text: 'mails were still waiting when the node ended, and are lost' },
  mail_server_unreachable: { level: 'warn', text: 'the mail server would not take mails now' },
  text_failed: { level: 'error', text: 'a text message could not be sent' },
} as const

function log(logger: Logger, { name, error, ...facts }: DeliveryObservation & { error?: unknown }): void {
  const { level, text } = lines[name]
  logger[level]({ ...facts, ...(error === undefined ? {} : { err: error }) }, text)
}
