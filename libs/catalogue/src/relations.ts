import type { Column, Relation } from './catalogue.ts'
import type { ColumnFact, KeyFact, RelationFact } from './facts.ts'
import { maxLengthOf, unbounded } from './type-table.ts'
import type { ResolveType } from './type-table.ts'
import type { ColumnOrigin, ObjectId } from './view-columns.ts'

/** A relation of an exposed schema before its keys are known, with the numbers that keys and views refer to. */
export type ListedRelation = {
  readonly oid: ObjectId
  readonly relation: Relation
  readonly columnNames: ReadonlyMap<number, string>
}

const kinds = {
  r: 'table',
  p: 'partitioned table',
  v: 'view',
  m: 'materialized view',
  f: 'foreign table',
} as const

/** The bits of `pg_relation_is_updatable`: 1 shifted by the number of the command. */
const events = { update: 4, insert: 8, delete: 16 }

export type RelationContext = {
  readonly resolveType: ResolveType
  readonly isNeverNull: (origin: ColumnOrigin) => boolean
}

export function toListedRelation(fact: RelationFact, context: RelationContext): ListedRelation {
  const [oid, schema, name, kind, comment, mask, columns] = fact
  const isView = kind === 'v' || kind === 'm'
  const provenNotNull = (column: number) => isView && context.isNeverNull({ relation: oid, column })
  return {
    oid,
    relation: {
      schema,
      name,
      kind: kinds[kind],
      comment: comment ?? undefined,
      insertable: (mask & events.insert) !== 0,
      updatable: (mask & events.update) !== 0,
      deletable: (mask & events.delete) !== 0,
      primaryKey: [],
      columns: new Map(
        columns.map((column) => [column[1], toColumn(column, context.resolveType, provenNotNull(column[0]))]),
      ),
      uniqueKeys: [],
    },
    columnNames: new Map(columns.map(([number, column]) => [number, column])),
  }
}

const identities = { a: 'always', d: 'by default', '': undefined } as const

function toColumn(fact: ColumnFact, resolveType: ResolveType, isNeverNull: boolean): Column {
  const [, name, comment, isNotNull, oid, modifier, text, defaultText, identity, isGenerated, isUpdatable] = fact
  const type = resolveType(oid)
  return {
    name,
    comment: comment ?? undefined,
    nullable: !isNotNull,
    neverNull: isNotNull || isNeverNull,
    type: text ?? unbounded(type.text),
    baseType: type.baseText,
    maxLength: maxLengthOf(type, modifier),
    default: defaultText ?? undefined,
    identity: identities[identity],
    generated: isGenerated,
    updatable: isUpdatable,
    enumLabels: type.isArray ? undefined : type.labels,
    typeName: type.typeName,
    isArray: type.isArray,
  }
}

/**
 * The relation with its keys. A table's primary key is in the order of its names, as the `Location` of a row has it.
 */
export function withKeys(
  listed: ListedRelation,
  keys: readonly KeyFact[],
  viewPrimaryKey: readonly string[],
): ListedRelation {
  const namesOf = (key: KeyFact) => key[3].flatMap((number) => listed.columnNames.get(number) ?? [])
  const primary = keys.find(([kind]) => kind === 'p')
  return {
    ...listed,
    relation: {
      ...listed.relation,
      primaryKey: primary === undefined ? viewPrimaryKey : namesOf(primary).sort(),
      uniqueKeys: keys.filter(([kind]) => kind === 'u').map(namesOf),
    },
  }
}
