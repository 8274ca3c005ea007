import type { Column, QualifiedName, Relation, RoutineParameter } from '@pando/catalogue/catalogue'
import { nameKey } from '@pando/catalogue/catalogue'
import type { FieldRef } from '../request/query.ts'
import type { FieldPlan } from './read-plan.ts'
import type { Scope } from './scope.ts'

/** The rows whose columns a name may mean. */
export type RowScope = {
  readonly alias: string
  readonly relation?: Relation
  /** Types by name, of rows that are no relation's. */
  readonly types?: ReadonlyMap<string, string>
  /** False when the rows carry computed columns as columns (mutated rows): then nothing is called. */
  readonly callsComputed: boolean
}

/**
 * Resolves a name to a column, else to a function of the row. A name that the catalogue does not know is left to
 * Postgres, which says better than we can what is wrong with it (42703 with its hint), and which may know a column
 * that was added a moment ago.
 */
export function resolveField(scope: Scope, rows: RowScope, ref: FieldRef): FieldPlan {
  const column = rows.relation?.columns.get(ref.name)
  const plain = ref.path.length === 0
  const type = column?.baseType ?? rows.types?.get(ref.name)
  const computed = column === undefined && rows.callsComputed ? findComputed(scope, rows.relation, ref.name) : undefined
  return {
    alias: rows.alias,
    name: ref.name,
    path: ref.path,
    toJsonb: !plain && type !== undefined && type !== 'json' && type !== 'jsonb',
    isTsvector: plain && (type === undefined || type === 'tsvector'),
    computed,
    ...(plain && column !== undefined ? representations(scope, column) : {}),
  }
}

function representations(scope: Scope, column: Column): { toJson?: QualifiedName; fromText?: QualifiedName } {
  const toJson = findRepresentation(scope, column.type, 'json')
  const fromText = findRepresentation(scope, 'text', column.type)
  return { toJson, fromText }
}

/** The function of the cast between a domain and json or text, when the database declares one. */
export function findRepresentation(scope: Scope, from: string, to: string): QualifiedName | undefined {
  return scope.catalogue.representations.find((each) => each.from === from && each.to === to)?.routine
}

/** A function of one argument that takes a row of the relation, in its schema or on the extra search path. */
export function findComputed(scope: Scope, relation: Relation | undefined, name: string): QualifiedName | undefined {
  if (relation === undefined) return undefined
  for (const schema of [relation.schema, ...scope.config.extraSearchPath]) {
    const routines = scope.catalogue.routines.get(nameKey({ schema, name })) ?? []
    if (routines.some((routine) => takesRowOf(routine.parameters, relation))) return { schema, name }
  }
  return undefined
}

function takesRowOf(parameters: readonly RoutineParameter[], relation: Relation): boolean {
  const [first] = parameters
  if (parameters.length !== 1 || first?.relation === undefined) return false
  return first.relation.schema === relation.schema && first.relation.name === relation.name
}
