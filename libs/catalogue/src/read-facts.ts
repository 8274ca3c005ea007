import type { Catalogue } from './catalogue.ts'
import type {
  ComputedFact,
  CompositeFact,
  HandlerFact,
  KeyFact,
  NotNullFact,
  RelationFact,
  RepresentationFact,
  RoutineFact,
  ShardKeyFact,
  TypeFact,
  ViewFact,
} from './facts.ts'
import { mapInSlices, runInSlices } from './slices.ts'
import * as statements from './statements.ts'

/**
 * Runs a statement with text parameters and gives its rows. All statements of one load go, one after the other, to one
 * connection inside one transaction: `database.transaction((transaction) => loadCatalogue(transaction.query, …))`.
 */
export type CatalogueQuery = (
  text: string,
  values: readonly string[],
) => Promise<readonly Readonly<Record<string, unknown>>[]>

/** All that a catalogue is built from. */
export type Facts = Awaited<ReturnType<typeof readFacts>> & Pick<Catalogue, 'inDatabaseConfig'>

/** What to look at, see `LoadOptions`. */
type Scope = {
  readonly schemas: readonly string[]
  readonly extraSearchPath: readonly string[]
  readonly previous?: Catalogue
}

export async function readFacts(query: CatalogueQuery, { schemas, extraSearchPath, previous }: Scope) {
  const exposed = [JSON.stringify(schemas)]
  const searched = [...exposed, JSON.stringify(extraSearchPath)]
  await query(statements.emptySearchPath, [])
  return {
    serverVersion: (await readAll<number>(query, statements.findServerVersion))[0] ?? 0,
    types: await readAll<TypeFact>(query, statements.listTypes, exposed),
    relations: await readAll<RelationFact>(query, statements.listRelations, exposed),
    keys: await readAll<KeyFact>(query, statements.listKeys),
    views: await readAll<ViewFact>(query, statements.listViews, searched),
    notNullColumns: await readAll<NotNullFact>(query, statements.listNotNullColumns, searched),
    routines: await readAll<RoutineFact>(query, statements.listRoutines, exposed),
    computed: await readAll<ComputedFact>(query, statements.listComputedRelationships),
    representations: await readAll<RepresentationFact>(query, statements.listRepresentations),
    mediaHandlers: await readAll<HandlerFact>(query, statements.listMediaHandlers, exposed),
    geoJson: (await readAll<[schema: string, name: string]>(query, statements.findGeoJson))[0],
    compositeTypes: await readAll<CompositeFact>(query, statements.listCompositeTypes),
    schemaComments: await readAll<[string, string]>(query, statements.listSchemaComments, exposed),
    roleSettings: await readAll<[string, string]>(query, statements.listRoleSettings),
    shardKeys: await readShardKeys(query),
    timezones: previous?.timezones ?? new Set(await readAll<string>(query, statements.listTimezones)),
  }
}

/** Undefined without Citus, whose tables then cannot even be named. */
async function readShardKeys(query: CatalogueQuery): Promise<ShardKeyFact[] | undefined> {
  const [isThere = false] = await readAll<boolean>(query, statements.findCitus)
  return isThere ? readAll<ShardKeyFact>(query, statements.listShardKeys) : undefined
}

/** The facts of a statement's rows, parsed in slices. */
export async function readAll<Fact>(
  query: CatalogueQuery,
  text: string,
  params: readonly string[] = [],
): Promise<Fact[]> {
  const rows = await query(text, params)
  return runInSlices(mapInSlices(rows, (row) => JSON.parse(String(row['fact'])) as Fact))
}
