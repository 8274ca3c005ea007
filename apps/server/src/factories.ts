import { createAdmin } from '@pando/admin'
import { createAuth, createPasswords } from '@pando/auth'
import type { Address } from '@pando/contract/overview'
import { createTokenSigner } from '@pando/http/auth/token-signer'
import { createDatabase } from '@pando/postgres/database'
import { createRest } from '@pando/rest'
import { randomBytes } from 'node:crypto'
import { createDashboardService } from './dashboard-service.ts'
import { createDataLayer, type DataLayer, type OnCatalogue, type PostgresAddresses } from './data-layer.ts'
import type { ServiceFactories, Shared } from './roles.ts'

/** What only `pando dev` shows: where the project is and which keys it has. */
export type DevelopmentPage = {
  readonly project: string
  readonly url: () => string
  readonly anonKey: string
  readonly addresses: () => readonly Address[]
}

/** How each service is made; the page of `pando dev` and the admin service behind it only where a page is asked for. */
export function createFactories(
  addresses: PostgresAddresses,
  page?: DevelopmentPage,
  onCatalogue?: OnCatalogue,
): ServiceFactories {
  let data: DataLayer | undefined
  // All services of a node share one; it lives and dies with the service that needs it most.
  const dataOf = ({ config, clock, logger }: Shared): DataLayer =>
    (data ??= createDataLayer({ ...addresses, rest: config.rest, clock, logger, onCatalogue }))
  return {
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
    auth: (shared) => createAuthService(shared, addresses.authUrl),
    ...(page === undefined ? {} : developmentServices(page, dataOf)),
  }
}

function createAuthService({ authenticate, config, clock, logger, apiUrl }: Shared, url: string) {
  const { jwt, auth: options } = config
  const keys = { secret: jwt.secret?.reveal(), signingKeys: jwt.signingKeys?.reveal(), jwks: jwt.jwks?.reveal() }
  return createAuth({
    authenticate,
    database: createDatabase({
      url,
      applicationName: 'pando auth',
      connectionsMax: options.connectionsMax,
      prepares: true,
      onConnectionLost: (error) => logger.warn({ err: error }, 'an idle connection to Postgres was lost'),
    }),
    clock,
    randomBytes,
    signer: createTokenSigner(keys),
    passwords: createPasswords(options),
    apiUrl,
    options,
  })
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
