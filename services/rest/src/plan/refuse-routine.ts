import type { Catalogue } from '@pando/catalogue/catalogue'
import { nameKey } from '@pando/catalogue/catalogue'
import { suggestParameters, suggestRoutine } from '@pando/catalogue/suggest'
import type { Refusal } from '@pando/core/refusal'
import { errors } from '../errors.ts'
import type { Call } from './choose-routine.ts'

/** PGRST202: what was looked for, and the nearest function of that name, or else the function with the nearest name. */
export function refuseUnknownRoutine(
  catalogue: Catalogue,
  call: Call,
  unnamedTypes: Readonly<Record<string, readonly string[]>>,
): Refusal {
  const full = `${call.name.schema}.${call.name.name}`
  const names = [...call.argumentNames]
  const list = names.join(', ')
  const types = call.bodyType === undefined ? undefined : unnamedTypes[call.bodyType]
  const single = types === undefined ? '' : `with a single unnamed ${types.join('/')} parameter`
  const onlyBody = single !== '' && call.bodyType !== 'application/json'
  const withNames = `with parameter${names.length === 1 ? '' : 's'} ${list}`
  const searched = names.length === 0 ? 'without parameters' : withNames
  const looked = onlyBody ? single : single === '' ? searched : `${searched} or ${single}`
  const called = onlyBody ? full : names.length === 0 ? `${full} without parameters` : `${full}(${list})`
  return errors.noRoutine(
    `Could not find the function ${called} in the schema cache`,
    `Searched for the function ${full} ${looked}, but no matches were found in the schema cache.`,
    onlyBody ? null : hint(catalogue, call, names),
  )
}

function hint(catalogue: Catalogue, { name }: Call, given: readonly string[]): string | null {
  const known = catalogue.routines.get(nameKey(name)) !== undefined
  const list = known ? suggestParameters(catalogue, name, given) : undefined
  const near = known ? list && `${name.name}${list}` : suggestRoutine(catalogue, name.schema, name.name)
  return near === undefined ? null : `Perhaps you meant to call the function ${name.schema}.${near}`
}
