import { quoteName } from '@pando/postgres/quote'
import { buildCatalogue } from './build-catalogue.ts'
import type { Catalogue } from './catalogue.ts'
import { readAll, readFacts } from './read-facts.ts'
import type { CatalogueQuery } from './read-facts.ts'
import { toInDatabaseConfig } from './settings.ts'
import { runInSlices } from './slices.ts'
import { listDeclared, listInDatabaseConfig } from './statements.ts'

export type { CatalogueQuery } from './read-facts.ts'

export type LoadOptions = {
  /** The exposed schemas. */
  readonly schemas: readonly string[]
  /** Further schemas whose views are looked through. */
  readonly extraSearchPath: readonly string[]
  readonly generation: number
  /** What `loadInDatabaseConfig` gave, where it was asked already. */
  readonly inDatabaseConfig?: Catalogue['inDatabaseConfig']
  /** The catalogue before this one: what cannot change while the server runs is taken from it. */
  readonly previous?: Catalogue
}

/**
 * Reads the catalogue as the role of the connection (the authenticator; it needs no privileges on the objects).
 * The work in this process is done in slices of a few milliseconds, so that requests are served meanwhile.
 */
export async function loadCatalogue(query: CatalogueQuery, options: LoadOptions): Promise<Catalogue> {
  const inDatabaseConfig = options.inDatabaseConfig ?? (await loadInDatabaseConfig(query))
  const facts = { ...(await readFacts(query, options)), inDatabaseConfig }
  return runInSlices(buildCatalogue(facts, options.generation))
}

/** A function of the database that declares settings, and the names of the settings that it may declare. */
export type PreConfig = { readonly name: string | null; readonly settings: readonly string[] }

/**
 * `alter role … [in database …] set pgrst.<name> = …` of the connection's role, without the prefix; what that does not say
 * is as the function `db_pre_config` declares it, or `preConfig`, which is called in the transaction of `query`
 * (PostgREST v14, "In-Database Configuration").
 */
export async function loadInDatabaseConfig(
  query: CatalogueQuery,
  preConfig?: PreConfig,
): Promise<Catalogue['inDatabaseConfig']> {
  const ofRole = toInDatabaseConfig(await readAll<string>(query, listInDatabaseConfig))
  const name = ofRole.get('db_pre_config') ?? preConfig?.name
  if (preConfig === undefined || name === undefined || name === null) return ofRole
  try {
    await query(`select ${name.split('.').map(quoteName).join('.')}()`, [])
  } catch (cause) {
    throw new Error(`The function ${name} (db_pre_config) failed: ${(cause as Error).message}`, { cause })
  }
  const declared = await readAll<[string, string]>(query, listDeclared, [JSON.stringify(preConfig.settings)])
  return new Map([...declared, ...ofRole])
}
