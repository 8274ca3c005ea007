import { buildCatalogue } from './build-catalogue.ts'
import type { Catalogue } from './catalogue.ts'
import { readAll, readFacts } from './read-facts.ts'
import type { CatalogueQuery } from './read-facts.ts'
import { toInDatabaseConfig } from './settings.ts'
import { runInSlices } from './slices.ts'
import { listInDatabaseConfig } from './statements.ts'

export type { CatalogueQuery } from './read-facts.ts'

export type LoadOptions = {
  /** The exposed schemas. */
  readonly schemas: readonly string[]
  /** Further schemas whose views are looked through. */
  readonly extraSearchPath: readonly string[]
  readonly generation: number
  /** The catalogue before this one: what cannot change while the server runs is taken from it. */
  readonly previous?: Catalogue
}

/**
 * Reads the catalogue as the role of the connection (the authenticator; it needs no privileges on the objects).
 * The work in this process is done in slices of a few milliseconds, so that requests are served meanwhile.
 */
export async function loadCatalogue(query: CatalogueQuery, options: LoadOptions): Promise<Catalogue> {
  const facts = await readFacts(query, options)
  return runInSlices(buildCatalogue(facts, options.generation))
}

/** `alter role … [in database …] set pgrst.<name> = …` of the connection's role, without the prefix. */
export async function loadInDatabaseConfig(query: CatalogueQuery): Promise<ReadonlyMap<string, string>> {
  return toInDatabaseConfig(await readAll<string>(query, listInDatabaseConfig))
}
