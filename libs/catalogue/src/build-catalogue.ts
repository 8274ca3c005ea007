import { nameKey } from './catalogue.ts'
import type { Catalogue, EnumType, MediaHandler } from './catalogue.ts'
import { toStoredType } from './facts.ts'
import type { HandlerFact, KeyFact, ShardKeyFact } from './facts.ts'
import type { Facts } from './read-facts.ts'
import { toListedRelation, withKeys } from './relations.ts'
import type { ListedRelation } from './relations.ts'
import { deriveRelationships, namesByTable } from './relationships.ts'
import type { RelationshipSource } from './relationships.ts'
import { compareRoutines, isCallable, takesOneRow, toCompositeType, toRoutine } from './routines.ts'
import { toSetting } from './settings.ts'
import { groupInSlices, mapInSlices } from './slices.ts'
import type { Sliced } from './slices.ts'
import { createTypeTable } from './type-table.ts'
import type { ResolveType, StoredType } from './type-table.ts'
import type { ColumnOrigin, ObjectId } from './view-columns.ts'
import { findOrigin, isNeverNull, readViews } from './view-origins.ts'
import type { ViewColumns } from './view-origins.ts'

/** Makes the catalogue of what was read. */
export function* buildCatalogue(facts: Facts, generation: number): Sliced<Catalogue> {
  const types = new Map(yield* mapInSlices(facts.types, (fact) => [fact[0], toStoredType(fact)] as const))
  const resolveType = createTypeTable(types)
  const views = yield* readViews(facts.views)
  const relations = yield* buildRelations(facts, resolveType, views)
  const functions = yield* mapInSlices(facts.routines, (fact) => toRoutine(fact, resolveType))
  functions.sort(compareRoutines)
  yield
  const relationships = yield* deriveRelationships(yield* toRelationshipSource(facts, relations, views))
  return {
    generation,
    serverVersion: facts.serverVersion,
    relations: new Map([...relations.values()].map(({ relation }) => [nameKey(relation), relation] as const)),
    relationships,
    routines: Map.groupBy(functions.filter(isCallable), nameKey),
    rowFunctions: functions.filter((one) => !isCallable(one) && takesOneRow(one)),
    representations: facts.representations.map(([from, to, schema, name]) => ({ from, to, routine: { schema, name } })),
    mediaHandlers: facts.mediaHandlers.map(toMediaHandler),
    geoJson: facts.geoJson && { schema: facts.geoJson[0], name: facts.geoJson[1] },
    enums: toEnums(types),
    compositeTypes: facts.compositeTypes.map((fact) => toCompositeType(fact, resolveType)),
    schemaComments: new Map(facts.schemaComments),
    timezones: facts.timezones,
    roleSettings: toRoleSettings(facts.roleSettings),
    inDatabaseConfig: facts.inDatabaseConfig,
    shardKeys: facts.shardKeys && toShardKeys(facts.shardKeys),
  }
}

function toShardKeys(facts: readonly ShardKeyFact[]): ReadonlyMap<string, string> {
  return new Map(facts.map(([schema, name, column]) => [nameKey({ schema, name }), column]))
}

type ListedRelations = ReadonlyMap<ObjectId, ListedRelation>

function* buildRelations(facts: Facts, resolveType: ResolveType, views: ViewColumns): Sliced<ListedRelations> {
  const keys = yield* groupInSlices(facts.keys, ([, , table]) => table)
  const isNotNull = yield* toNotNullTest(facts)
  const context = { resolveType, isNeverNull: (origin: ColumnOrigin) => isNeverNull(views, isNotNull, origin) }
  const relations = new Map<ObjectId, ListedRelation>()
  for (const fact of facts.relations) {
    const listed = toListedRelation(fact, context)
    const ownKeys = keys.get(listed.oid) ?? []
    relations.set(listed.oid, withKeys(listed, ownKeys, viewPrimaryKey(listed, views, keys)))
    yield
  }
  return relations
}

/** A not-null constraint that is not yet validated promises nothing about the rows that are there. */
function* toNotNullTest(facts: Facts): Sliced<(origin: ColumnOrigin) => boolean> {
  const sets = yield* mapInSlices(facts.notNullColumns, ([table, columns]) => [table, new Set(columns)] as const)
  const declared = new Map(sets)
  for (const [kind, , table, columns] of facts.keys) {
    if (kind === 'n') for (const column of columns) declared.get(table)?.delete(column)
  }
  return ({ relation, column }) => declared.get(relation)?.has(column) === true
}

/** The first name of each column of the primary keys of all tables that a view shows completely. */
function viewPrimaryKey(
  view: ListedRelation,
  views: ViewColumns,
  keys: ReadonlyMap<ObjectId, readonly KeyFact[]>,
): string[] {
  const shown = namesByTable(view, originsOf(view.oid, views))
  return [...shown].flatMap(([table, names]) => {
    const key = keys.get(table)?.find(([kind]) => kind === 'p')
    const columns = key?.[3].map((column) => names.get(column)?.[0]) ?? []
    return columns.every((name) => name !== undefined) ? columns : []
  })
}

function originsOf(view: ObjectId, views: ViewColumns): ReadonlyMap<number, ColumnOrigin> {
  const columns = [...(views.get(view)?.values() ?? [])]
  return new Map(
    columns.flatMap(({ column, origin }) =>
      origin === undefined ? [] : [[column, findOrigin(views, origin)] as const],
    ),
  )
}

function* toRelationshipSource(
  facts: Facts,
  relations: ListedRelations,
  views: ViewColumns,
): Sliced<RelationshipSource> {
  const reachable = yield* mapInSlices(relations.values(), ({ oid, relation, columnNames }) => {
    const isView = relation.kind === 'view' || relation.kind === 'materialized view'
    const { schema, name, primaryKey } = relation
    return [oid, { name: { schema, name }, isView, primaryKey, columnNames }] as const
  })
  const exposedViews = reachable.filter(([, { isView }]) => isView)
  const keys = Map.groupBy(facts.keys, ([kind]) => kind)
  yield
  return {
    relations: new Map(reachable),
    foreignKeys: (keys.get('f') ?? []).map(([, name, table, columns, referencedTable, referencedColumns]) => {
      return { name, table, columns, referencedTable, referencedColumns: referencedColumns ?? [] }
    }),
    uniqueKeys: [...(keys.get('p') ?? []), ...(keys.get('u') ?? [])].map(([, , table, columns]) => ({
      table,
      columns,
    })),
    viewOrigins: new Map(yield* mapInSlices(exposedViews, ([oid]) => [oid, originsOf(oid, views)] as const)),
    computed: facts.computed.map(([schema, name, from, to, toOne]) => ({ routine: { schema, name }, from, to, toOne })),
  }
}

function toMediaHandler([mediaType, schema, name, kind, relation, isBinary]: HandlerFact): MediaHandler {
  const target = relation === null ? {} : { relation: { schema: relation[0], name: relation[1] } }
  return { mediaType, routine: { schema, name }, kind, isBinary, ...target }
}

const systemSchemas: ReadonlySet<string> = new Set(['pg_catalog', 'information_schema'])

function toEnums(types: ReadonlyMap<ObjectId, StoredType>): EnumType[] {
  return [...types.values()].flatMap(({ kind, name, labels }) =>
    kind === 'e' && !systemSchemas.has(name.schema) ? [{ ...name, labels: labels ?? [] }] : [],
  )
}

function toRoleSettings(settings: Facts['roleSettings']): Catalogue['roleSettings'] {
  const byRole = Map.groupBy(settings, ([role]) => role)
  return new Map([...byRole].map(([role, own]) => [role, own.map(([, setting]) => toSetting(setting))] as const))
}
