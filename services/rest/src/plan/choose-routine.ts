import type { Catalogue, QualifiedName, Routine } from '@pando/catalogue/catalogue'
import { nameKey } from '@pando/catalogue/catalogue'
import { errors } from '../errors.ts'
import { refuseUnknownRoutine } from './refuse-routine.ts'

/** How a function is called: by which names, and whether a body may be its one unnamed parameter. */
export type Call = {
  readonly name: QualifiedName
  readonly argumentNames: ReadonlySet<string>
  /** The media type of the body of a POST; undefined for GET and HEAD. */
  readonly bodyType?: string
}

/** The type that a single unnamed parameter must have for a body, by its media type. */
const unnamedTypes: Readonly<Record<string, readonly string[]>> = {
  'application/json': ['json', 'jsonb'],
  'text/plain': ['text'],
  'text/xml': ['xml'],
  'application/octet-stream': ['bytea'],
}

/**
 * The one overload that a call means: it has all given names and needs no other. When none has, a function with a
 * single unnamed parameter takes the body whole.
 *
 * @throws PGRST202 when no overload fits, PGRST203 when several do
 */
export function chooseRoutine(catalogue: Catalogue, call: Call): Routine {
  const overloads = (catalogue.routines.get(nameKey(call.name)) ?? []).filter(isCallable)
  const named = overloads.filter((routine) => takesNames(routine, call))
  const candidates = named.length > 0 ? named : overloads.filter((routine) => takesBody(routine, call))
  const [first] = candidates
  if (first === undefined) throw refuseUnknownRoutine(catalogue, call, unnamedTypes)
  if (candidates.length > 1) throw errors.ambiguousRoutine(candidates.map(signature))
  return first
}

const bodyTypes: ReadonlySet<string> = new Set(Object.values(unnamedTypes).flat())

/**
 * Names are how a caller gives arguments: a function may have one parameter without, and that of a type that a body can
 * be.
 */
function isCallable({ parameters }: Routine): boolean {
  const unnamed = parameters.filter(({ name }) => name === '').length
  return unnamed === 0 || (unnamed === 1 && bodyTypes.has(parameters[0]?.baseType ?? ''))
}

/** Whether the body goes whole into the function's one unnamed parameter. */
export function isUnnamed({ parameters }: Routine): boolean {
  return parameters.length === 1 && parameters[0]?.name === ''
}

function takesNames({ parameters }: Routine, { argumentNames, bodyType }: Call): boolean {
  const isWhole = bodyType !== undefined && bodyType !== 'application/json' && unnamedTypes[bodyType] !== undefined
  if (isWhole) return false
  const names = new Set(parameters.map(({ name }) => name))
  const hasAll = parameters.every(({ name, required }) => !required || argumentNames.has(name))
  return hasAll && [...argumentNames].every((name) => names.has(name))
}

function takesBody(routine: Routine, { bodyType }: Call): boolean {
  const types = bodyType === undefined ? undefined : unnamedTypes[bodyType]
  return types !== undefined && isUnnamed(routine) && types.includes(routine.parameters[0]?.baseType ?? '')
}

function signature({ schema, name, parameters }: Routine): string {
  return `${schema}.${name}(${parameters.map((each) => `${each.name} => ${each.type}`).join(', ')})`
}
