import { nameKey } from './catalogue.ts'
import type { QualifiedName, Relationship } from './catalogue.ts'
import { sortRelationships } from './relationship-order.ts'
import { groupInSlices, mapInSlices } from './slices.ts'
import type { Sliced } from './slices.ts'
import type { ColumnOrigin, ObjectId } from './view-columns.ts'

/** What relationships are derived from; object ids and column numbers only have to agree with each other. */
export type RelationshipSource = {
  /** The relations of the exposed schemas. */
  readonly relations: ReadonlyMap<ObjectId, ReachableRelation>
  /** Of tables in any schema. */
  readonly foreignKeys: readonly ForeignKey[]
  /** Primary keys and unique constraints. */
  readonly uniqueKeys: readonly Key[]
  /** The table's column that each column of an exposed view shows, where that is known. */
  readonly viewOrigins: ReadonlyMap<ObjectId, ReadonlyMap<number, ColumnOrigin>>
  readonly computed: readonly ComputedRelationship[]
}

export type ReachableRelation = {
  readonly name: QualifiedName
  readonly isView: boolean
  readonly primaryKey: readonly string[]
  readonly columnNames: ReadonlyMap<number, string>
}

export type Key = { readonly table: ObjectId; readonly columns: readonly number[] }

export type ForeignKey = Key & {
  readonly name: string
  readonly referencedTable: ObjectId
  /** In the order of `columns`. */
  readonly referencedColumns: readonly number[]
}

/** A function of a row of `from` that gives rows of `to`. */
export type ComputedRelationship = {
  readonly routine: QualifiedName
  readonly from: ObjectId
  readonly to: ObjectId
  readonly toOne: boolean
}

/**
 * Derives which relation reaches which, and how.
 *
 * A foreign key relates its table to the table it refers to; where the key's columns are unique, one to one. Views take
 * part in place of the tables whose columns they show, when they show all columns of the key, and once for each way to
 * choose them if they show one twice. A relation whose primary key holds two foreign keys is a junction. A computed
 * relationship replaces what was derived from its relation to the relation of its name.
 */
export function* deriveRelationships(source: RelationshipSource): Sliced<ReadonlyMap<string, readonly Relationship[]>> {
  const direct = yield* deriveDirect(source)
  const found: Relationship[] = [...direct]
  yield* addManyToMany(found, source, direct)
  for (const relationship of direct) {
    found.push(invert(relationship))
    yield
  }
  return yield* groupByOrigin(found, source)
}

type Direct = Omit<Relationship, 'via'> & { readonly via: KeyVia }
type KeyVia = Extract<Relationship['via'], { readonly constraint: string }>

/** A table, or a view in its place: how it names the columns of the table. */
type Face = {
  readonly oid: ObjectId
  readonly relation: ReachableRelation
  readonly names: (column: number) => readonly string[]
}

function* deriveDirect(source: RelationshipSource): Sliced<Direct[]> {
  const faces = yield* collectFaces(source)
  const unique = new Set(yield* mapInSlices(source.uniqueKeys, (key) => keyText(key.table, key.columns)))
  const found: Direct[] = []
  for (const key of source.foreignKeys) {
    const kind = unique.has(keyText(key.table, key.columns)) ? 'one-to-one' : 'many-to-one'
    for (const from of faces.get(key.table) ?? []) {
      const fromColumns = choices(key.columns.map(from.names))
      if (fromColumns.length === 0) continue
      for (const to of faces.get(key.referencedTable) ?? []) {
        for (const toColumns of choices(key.referencedColumns.map(to.names))) {
          for (const columns of fromColumns) {
            found.push(toDirect({ key, kind, from, to }, zip(columns, toColumns)))
          }
        }
      }
    }
    yield
  }
  return found
}

const keyText = (table: ObjectId, columns: readonly number[]): string =>
  `${table} ${columns.toSorted((a, b) => a - b).join(' ')}`

function* collectFaces({ relations, viewOrigins }: RelationshipSource): Sliced<ReadonlyMap<ObjectId, readonly Face[]>> {
  const faces = new Map<ObjectId, Face[]>()
  for (const [oid, relation] of relations) {
    if (relation.isView) continue
    const names = new Map([...relation.columnNames].map(([column, name]) => [column, [name]] as const))
    faces.set(oid, [{ oid, relation, names: (column) => names.get(column) ?? [] }])
    yield
  }
  for (const [oid, origins] of viewOrigins) {
    const relation = relations.get(oid)
    if (relation === undefined) continue
    for (const [table, shown] of namesByTable(relation, origins)) {
      const face = { oid, relation, names: (column: number) => shown.get(column) ?? [] }
      faces.set(table, [...(faces.get(table) ?? []), face])
    }
    yield
  }
  return faces
}

/** Under which names a view shows the columns of each table. */
export function namesByTable(
  relation: Pick<ReachableRelation, 'columnNames'>,
  origins: ReadonlyMap<number, ColumnOrigin>,
): ReadonlyMap<ObjectId, ReadonlyMap<number, readonly string[]>> {
  const tables = new Map<ObjectId, Map<number, string[]>>()
  for (const [number, name] of relation.columnNames) {
    const origin = origins.get(number)
    if (origin === undefined) continue
    const shown = tables.get(origin.relation) ?? new Map<number, string[]>()
    shown.set(origin.column, [...(shown.get(origin.column) ?? []), name])
    tables.set(origin.relation, shown)
  }
  return tables
}

/** All ways to take one of each; none when something is missing. */
function choices<T>(options: readonly (readonly T[])[]): T[][] {
  return options.reduce<T[][]>((taken, next) => taken.flatMap((some) => next.map((one) => [...some, one])), [[]])
}

const zip = (a: readonly string[], b: readonly string[]): (readonly [string, string])[] =>
  a.map((left, at) => [left, b[at] ?? ''] as const)

type DirectParts = { key: ForeignKey; kind: KeyVia['kind']; from: Face; to: Face }

function toDirect({ key, kind, from, to }: DirectParts, columns: (readonly [string, string])[]): Direct {
  return {
    from: from.relation.name,
    to: to.relation.name,
    isSelf: from.oid === to.oid,
    throughView: from.relation.isView || to.relation.isView,
    via: { kind, constraint: key.name, columns, keyInFrom: true },
  }
}

function invert({ from, to, isSelf, throughView, via }: Direct): Relationship {
  const columns = via.columns.map(([a, b]) => [b, a] as const)
  const kind = via.kind === 'one-to-one' ? 'one-to-one' : 'one-to-many'
  return {
    from: to,
    to: from,
    isSelf,
    throughView,
    via: { kind, constraint: via.constraint, columns, keyInFrom: false },
  }
}

/** Each ordered pair of different foreign keys inside a relation's primary key leads from one end to the other. */
function* addManyToMany(found: Relationship[], source: RelationshipSource, direct: readonly Direct[]): Sliced<void> {
  const relations = new Map(
    yield* mapInSlices(source.relations.values(), (relation) => [nameKey(relation.name), relation] as const),
  )
  const isView = (name: QualifiedName) => relations.get(nameKey(name))?.isView === true
  const byJunction = yield* groupInSlices(direct, ({ from }) => nameKey(from))
  for (const [junction, keys] of byJunction) {
    const primaryKey = new Set(relations.get(junction)?.primaryKey)
    const isInside = ({ kind, columns }: KeyVia) =>
      kind === 'many-to-one' && columns.every(([one]) => primaryKey.has(one))
    const ends = keys.filter(({ via }) => isInside(via))
    for (const a of ends) {
      for (const b of ends) {
        if (a.via.constraint === b.via.constraint) continue
        found.push(toManyToMany(a, b, isView(a.to) || isView(b.to)))
      }
      yield
    }
  }
}

function toManyToMany(a: Direct, b: Direct, throughView: boolean): Relationship {
  const flip = ({ via }: Direct) => via.columns.map(([junction, end]) => [end, junction] as const)
  return {
    from: a.to,
    to: b.to,
    isSelf: nameKey(a.to) === nameKey(b.to),
    throughView,
    via: {
      kind: 'many-to-many',
      junction: a.from,
      fromConstraint: a.via.constraint,
      fromColumns: flip(a),
      toConstraint: b.via.constraint,
      toColumns: flip(b),
    },
  }
}

function* groupByOrigin(
  found: readonly Relationship[],
  { relations, computed }: RelationshipSource,
): Sliced<ReadonlyMap<string, readonly Relationship[]>> {
  const byOrigin = yield* groupInSlices(found, ({ from }) => nameKey(from))
  for (const { routine, from, to, toOne } of computed) {
    const [source, target] = [relations.get(from)?.name, relations.get(to)?.name]
    if (source === undefined || target === undefined) continue
    const others = byOrigin.get(nameKey(source)) ?? []
    const kept = others.filter((other) => other.via.kind === 'computed' || nameKey(other.to) !== nameKey(routine))
    const via = { kind: 'computed', routine, toOne } as const
    byOrigin.set(nameKey(source), [...kept, { from: source, to: target, isSelf: from === to, throughView: false, via }])
    yield
  }
  const sorted = new Map<string, readonly Relationship[]>()
  for (const [origin, list] of byOrigin) {
    sorted.set(origin, sortRelationships(list))
    yield
  }
  return sorted
}
