import { createAdmin } from '@pando/admin'
import type { Address } from '@pando/contract/overview'
import { createRest } from '@pando/rest'
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
    ...(page === undefined ? {} : developmentServices(page, dataOf)),
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
