import type { Overview } from '@pando/contract/overview'
import type { AdminDeps } from './deps.ts'

/** Where the project is reached, and what is in it. A database that does not answer leaves the tables empty. */
export async function getOverview(deps: AdminDeps): Promise<Overview> {
  const isLoaded = deps.catalogue() !== undefined
  return {
    project: deps.project,
    url: deps.url(),
    anonKey: deps.anonKey,
    addresses: [...deps.addresses()],
    tables: isLoaded ? [...(await deps.countRows(deps.schemas))] : [],
  }
}
