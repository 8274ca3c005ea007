import { nameKey } from '../catalogue.ts'
import type { Catalogue, QualifiedName, Relation, Relationship, Routine } from '../catalogue.ts'

/** A catalogue without anything, to be spread and filled by a test. */
export const emptyCatalogue: Catalogue = {
  generation: 1,
  serverVersion: 180_000,
  relations: new Map(),
  relationships: new Map(),
  routines: new Map(),
  representations: [],
  mediaHandlers: [],
  enums: [],
  compositeTypes: [],
  schemaComments: new Map(),
  timezones: new Set(),
  roleSettings: new Map(),
  inDatabaseConfig: new Map(),
}

/** A table without columns. */
export function bareTable(name: QualifiedName): Relation {
  const rights = { insertable: true, updatable: true, deletable: true }
  return { ...name, kind: 'table', ...rights, primaryKey: [], columns: new Map(), uniqueKeys: [] }
}

/** A function of text parameters that returns nothing. */
export function bareRoutine(name: QualifiedName, parameters: readonly string[]): Routine {
  const typeName = { schema: 'pg_catalog', name: 'text' }
  const type = { type: 'text', baseType: 'text', typeName, isArray: false, required: true, isVariadic: false }
  return {
    ...name,
    parameters: parameters.map((parameter) => ({ name: parameter, ...type })),
    returns: { isSet: false, type: { kind: 'void' } },
    volatility: 'volatile',
    isVariadic: false,
    settings: [],
  }
}

/** A many-to-one relationship by a column of the target's name. */
export function bareRelationship(from: QualifiedName, to: QualifiedName): Relationship {
  const columns = [[to.name, 'id'] as const]
  const via = { kind: 'many-to-one', constraint: `${from.name}_${to.name}`, columns, keyInFrom: true } as const
  return { from, to, isSelf: false, throughView: false, via }
}

/** The catalogue with these in its maps. */
export function catalogueOf(parts: {
  readonly relations?: readonly Relation[]
  readonly routines?: readonly Routine[]
  readonly relationships?: readonly Relationship[]
}): Catalogue {
  return {
    ...emptyCatalogue,
    relations: new Map((parts.relations ?? []).map((relation) => [nameKey(relation), relation])),
    routines: Map.groupBy(parts.routines ?? [], nameKey),
    relationships: Map.groupBy(parts.relationships ?? [], ({ from }) => nameKey(from)),
  }
}
