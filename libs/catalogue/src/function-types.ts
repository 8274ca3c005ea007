import { nameKey } from './catalogue.ts'
import type { Relation, Routine } from './catalogue.ts'
import { allFunctions, rowMembers } from './relation-types.ts'
import { compareTexts } from './relationship-order.ts'
import { compareRoutines, isCallable, takesOneRow } from './routines.ts'
import { indent, objectType, property, quote, typescriptType } from './typescript-type.ts'
import type { TypeScope } from './typescript-type.ts'

/** The members of `Functions`: a type for a function, a union of types for overloads. */
export function renderFunctions(scope: TypeScope, schema: string): string[] {
  const byName = Map.groupBy(allFunctions(scope, schema), ({ name }) => name)
  return [...byName]
    .toSorted(([a], [b]) => compareTexts(a, b))
    .map(([name, overloads]) => {
      const types = overloads.toSorted(compareRoutines).map((one) => renderFunction(scope, one, overloads))
      return `${property(name)}:${types.length === 1 ? ` ${types[0]}` : indent(`\n${types.map((type) => `| ${type}`).join('\n')}`)}`
    })
}

function renderFunction(scope: TypeScope, routine: Routine, overloads: readonly Routine[]): string {
  return objectType([
    `Args: ${renderArguments(scope, routine)}`,
    `Returns: ${renderRefusal(routine, overloads) ?? renderResult(scope, routine)}`,
    ...renderSetofOptions(scope, routine),
  ])
}

function renderArguments(scope: TypeScope, { parameters }: Routine): string {
  if (parameters.length === 0) return 'never'
  const members = parameters
    .toSorted((a, b) => compareTexts(a.name, b.name))
    .map((one) => `${property(one.name)}${one.required ? '' : '?'}: ${typescriptType(scope, one)}`)
  return `{ ${members.join('; ')} }`
}

/** The result of a function that a request cannot call: a type that says why. */
function renderRefusal(routine: Routine, overloads: readonly Routine[]): string | undefined {
  const name = `${routine.schema}.${routine.name}`
  if (!isCallable(routine) && routine.returns.type.kind === 'scalar') {
    return refusal(
      `the function ${name} with parameter or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache`,
    )
  }
  const rivals = overloads.filter((other) => isCallable(other) && namesOf(other) === namesOf(routine))
  if (!isCallable(routine) || rivals.length < 2 || namesOf(routine) === '') return undefined
  const list = rivals.map(({ parameters }) => `${name}(${parameters.map((p) => `${p.name} => ${p.type}`).join(', ')})`)
  return refusal(
    `Could not choose the best candidate function between: ${list.join(', ')}. Try renaming the parameters or the function itself in the database so function overloading can be resolved`,
  )
}

const refusal = (text: string): string => `${objectType(['error: true'])} & ${quote(text)}`

const namesOf = ({ parameters }: Routine): string =>
  parameters
    .map(({ name }) => name)
    .toSorted()
    .join(',')

function renderResult(scope: TypeScope, routine: Routine): string {
  const { isSet, type, columns } = routine.returns
  const relation = relationOf(scope, routine)
  const isList = isSet && !(relation !== undefined && routine.rows === 1)
  const list = (text: string) =>
    isList ? (text.includes(' ') && !text.startsWith('{') ? `(${text})[]` : `${text}[]`) : text
  if (columns !== undefined) {
    const members = columns.map(
      ({ name, typeName = unknownName, isArray }) =>
        `${property(name)}: ${typescriptType(scope, { typeName, isArray })}`,
    )
    return list(objectType(members.toSorted(compareTexts)))
  }
  if (type.kind === 'void') return 'undefined'
  if (relation !== undefined) return list(objectType(rowMembers(scope, relation)))
  return list(typescriptType(scope, { typeName: type.name, isArray: type.kind === 'scalar' && type.isArray }))
}

const unknownName = { schema: 'pg_catalog', name: 'unknown' }

function relationOf(scope: TypeScope, { returns: { type } }: Routine): Relation | undefined {
  return type.kind === 'composite' && type.relation !== undefined
    ? scope.catalogue.relations.get(nameKey(type.relation))
    : undefined
}

/** What embedding needs to know of a function that gives rows of a relation of its schema. */
function renderSetofOptions(scope: TypeScope, routine: Routine): string[] {
  const relation = relationOf(scope, routine)
  if (relation === undefined || relation.schema !== routine.schema) return []
  const from = takesOneRow(routine) ? (routine.parameters[0]?.relation?.name ?? '*') : '*'
  const { isSet } = routine.returns
  const members = [
    `from: ${quote(from)}`,
    `to: ${quote(relation.name)}`,
    `isOneToOne: ${!isSet || routine.rows === 1}`,
    `isSetofReturn: ${isSet}`,
  ]
  return [`SetofOptions: ${objectType(members)}`]
}
