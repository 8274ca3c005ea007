import { createAdmin } from '@pando/admin'
import {
  createAuth,
  createProviders,
  createOutbox,
  createPasswords,
  createSecretBox,
  createSweep,
  deliverByHooks,
  limitDelivery,
  type Outbox,
} from '@pando/auth'
import type { Address } from '@pando/contract/overview'
import { deriveKey, listInstallationSecrets } from '@pando/http/auth/derive-key'
import { toIssuerLimits } from '@pando/http/auth/issuer-options'
import { createTokenSigner } from '@pando/http/auth/token-signer'
import { createDatabase } from '@pando/postgres/database'
import type { HttpService } from '@pando/http/service'
import { createRest } from '@pando/rest'
import { randomBytes } from 'node:crypto'
import { createAuthDelivery } from './auth-delivery.ts'
import { createAuthGuards } from './auth-guards.ts'
import { createDashboardService } from './dashboard-service.ts'
import { createDataLayer, type DataLayer, type OnCatalogue, type PostgresAddresses } from './data-layer.ts'
import { createMailboxService } from './mailbox-service.ts'
import { createEndedSessions } from './ended-sessions.ts'
import { createRealtimeService } from './realtime-service.ts'
import type { Parts, ServiceFactories, Shared } from './roles.ts'

/** What only `pando dev` shows: where the project is and which keys it has. */
export type DevelopmentPage = {
  readonly project: string
  readonly url: () => string
  readonly anonKey: string
  readonly addresses: () => readonly Address[]
}

/** What a node of `pando dev` has and one in production has not. */
export type Development = {
  /** Shown at `/`, with the admin service behind it. */
  readonly page?: DevelopmentPage
  /** Whether messages that nobody delivers are kept in memory and shown at `/mailbox`; without it they are refused. */
  readonly mailbox?: boolean
  /** Told of each catalogue right before it serves. */
  readonly onCatalogue?: OnCatalogue
}

/** How each part of a node is made. */
export function createFactories(addresses: PostgresAddresses, development: Development = {}): Parts {
  const { page, mailbox = false, onCatalogue } = development
  let data: DataLayer | undefined
  // All services of a node share one; it lives and dies with the service that needs it most.
  const dataOf = ({ config, clock, logger }: Shared): DataLayer =>
    (data ??= createDataLayer({ ...addresses, rest: config.rest, clock, logger, onCatalogue }))
  let outbox: Outbox | undefined
  const outboxOf = ({ config, clock }: Shared): Outbox =>
    (outbox ??= createOutbox({ clock, messagesMax: config.auth.mailboxMessagesMax }))
  const services: ServiceFactories = {
    rest: (shared) => {
      const { run, transaction, catalogue, ready, start, stop } = dataOf(shared)
      const { authenticate, config } = shared
      const { anonRole } = config.jwt
      const deps = {
        authenticate,
        anonRole,
        run,
        transaction,
        catalogue,
        catalogueReadiness: ready,
        options: config.rest,
      }
      return { ...createRest(deps), start, stop }
    },
    auth: (shared) => createAuthService(shared, addresses.authUrl, mailbox ? outboxOf(shared) : undefined),
    realtime: (shared) => createRealtimeService(shared, addresses),
    ...(mailbox ? { mailbox: (shared: Shared) => createMailboxService(outboxOf(shared)) } : {}),
    ...(page === undefined ? {} : developmentServices(page, dataOf)),
  }
  return { services, endedSessions: (shared) => createEndedSessions(shared, addresses.apiUrl) }
}

function createAuthService(shared: Shared, url: string, outbox: Outbox | undefined): HttpService {
  const { authenticateAnySession, keys: keyRing, config, clock, logger, apiUrl } = shared
  const { jwt, auth: options } = config
  const secrets = listInstallationSecrets({
    own: options.secret?.reveal(),
    jwtSecret: jwt.secret?.reveal(),
    signingKeys: jwt.signingKeys?.reveal(),
  })
  const pepper = deriveKey(secrets[0]!, 'auth codes')
  const database = createDatabase({
    url,
    applicationName: 'pando auth',
    connectionsMax: options.connectionsMax,
    prepares: true,
    onConnectionLost: (error) => logger.warn({ err: error }, 'an idle connection to Postgres was lost'),
  })
  const guards = createAuthGuards(shared, { url, database, pepper })
  const { hooks, limits } = guards
  const onMailFailed = (kind: string, error: unknown): void =>
    logger.error({ kind, err: error }, 'the hook send_email did not send a mail')
  const delivered = deliverByHooks(createAuthDelivery(shared, outbox), { hooks, options, apiUrl, onMailFailed })
  // What only the mailbox shows costs nobody anything.
  const counts = {
    mails: outbox === undefined || options.smtpHost !== null || hooks.sendEmail !== undefined,
    texts: outbox === undefined || hooks.sendSms !== undefined,
  }
  const delivery = limitDelivery(delivered, { limits, options, counts })
  const { mustDeliver, sendMail, sendNotice, sendText, verifyText } = delivery
  const service = createAuth({
    authenticate: authenticateAnySession,
    database,
    clock,
    randomBytes,
    signer: createTokenSigner(keyRing, clock),
    passwords: createPasswords(options),
    secretBox: createSecretBox(secrets.map((secret) => deriveKey(secret, 'auth secrets at rest'))),
    pepper,
    ...guards,
    providers: createProviders({ options, clock, limits: toIssuerLimits(config.issuers) }),
    mustDeliver,
    sendMail,
    sendNotice,
    sendText,
    verifyText,
    apiUrl,
    options,
  })
  const sweep = createSweep({
    database,
    tokenMsMax: options.jwtExpiry + jwt.leeway,
    onFailed: (error) => logger.warn({ err: error }, 'lines of ended sessions could not be removed'),
  })
  return {
    ...service,
    start: async () => {
      delivery.start()
      sweep.start()
      await service.start()
    },
    drain: async () => {
      await service.drain()
      await delivery.drain()
    },
    stop: async () => {
      sweep.stop()
      await delivery.close()
      await service.stop()
    },
  }
}

function developmentServices(page: DevelopmentPage, dataOf: (shared: Shared) => DataLayer): ServiceFactories {
  return {
    admin: (shared) => {
      const { ready, catalogue, countRows } = dataOf(shared)
      return createAdmin({
        ...page,
        services: { rest: ready },
        catalogue,
        countRows,
        schemas: shared.config.rest.schemas,
      })
    },
    dashboard: createDashboardService,
  }
}
