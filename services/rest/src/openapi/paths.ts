import type { Relation, Routine, RoutineParameter } from '@pando/catalogue/catalogue'
import type { Part } from './swagger-types.ts'
import { filterName, parameterRef } from './parameters.ts'
import { elementType, splitComment, swaggerFormat, swaggerItems, swaggerType } from './swagger-types.ts'

const json = 'application/json'
const singular = 'application/vnd.pgrst.object+json'
export const jsonTypes = [json, `${singular};nulls=stripped`, singular]

export const rootPath: Part = {
  get: {
    tags: ['Introspection'],
    summary: 'OpenAPI description (this document)',
    produces: ['application/openapi+json', json],
    responses: { 200: { description: 'OK' } },
  },
}

/** The operations on one relation; writing ones only when it can be written at all. */
export function toRelationPath(relation: Relation): Part {
  const base = { tags: [relation.name], ...splitComment(relation.comment) }
  const filters = Array.from(relation.columns.keys(), (column) => filterName(relation, column))
  const operation = (parameters: readonly string[], responses: Part): Part => ({
    ...base,
    parameters: parameters.map(parameterRef),
    responses,
  })
  const body = `body.${relation.name}`
  const reading = ['select', 'order', 'range', 'rangeUnit', 'offset', 'limit', 'preferCount']
  const get = operation([...filters, ...reading], rowsAnswer(relation))
  if (!relation.insertable && !relation.updatable && !relation.deletable) return { get }
  return {
    get,
    post: operation([body, 'select', 'preferPost'], { 201: { description: 'Created' } }),
    delete: operation([...filters, 'preferReturn'], { 204: { description: 'No Content' } }),
    patch: operation([...filters, body, 'preferReturn'], { 204: { description: 'No Content' } }),
  }
}

function rowsAnswer({ name }: Relation): Part {
  return {
    200: { description: 'OK', schema: { type: 'array', items: { $ref: `#/definitions/${name}` } } },
    206: { description: 'Partial Content' },
  }
}

/** The call of one function; by GET only when it cannot write. */
export function toRoutinePath(routine: Routine): Part {
  const named = routine.parameters.filter((parameter) => parameter.name !== '')
  const operation = (parameters: readonly Part[]): Part => ({
    tags: [`(rpc) ${routine.name}`],
    ...splitComment(routine.comment),
    produces: jsonTypes,
    parameters,
    responses: { 200: { description: 'OK' } },
  })
  const post = operation([toArguments(routine, named), parameterRef('preferParams')])
  return routine.volatility === 'volatile' ? { post } : { get: operation(named.map(toQueryParameter)), post }
}

function toArguments(routine: Routine, named: readonly RoutineParameter[]): Part {
  const schema = {
    description: routine.comment,
    required: named.filter((parameter) => parameter.required).map((parameter) => parameter.name),
    properties: Object.fromEntries(named.map((parameter) => [parameter.name, toArgument(parameter)])),
    type: 'object',
  }
  return { name: 'args', required: true, in: 'body', schema }
}

function toArgument({ baseType }: RoutineParameter): Part {
  return { format: swaggerFormat(baseType), items: swaggerItems(baseType), type: swaggerType(baseType) }
}

/** In a query string an array is written `{…}`, except that a variadic parameter repeats. */
function toQueryParameter({ name, required, isVariadic, baseType }: RoutineParameter): Part {
  const base = { name, required, in: 'query' }
  if (!isVariadic) {
    const type = swaggerType(baseType)
    return { ...base, format: swaggerFormat(baseType), type: type === undefined || type === 'array' ? 'string' : type }
  }
  const element = elementType(baseType)
  const items = { format: swaggerFormat(element), type: swaggerType(element) }
  return { ...base, type: 'array', items, collectionFormat: 'multi' }
}
