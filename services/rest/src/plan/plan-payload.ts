import { errors } from '../errors.ts'
import type { Payload, PayloadColumn } from './mutate-plan.ts'
import type { Mutation } from './plan-mutation.ts'
import { findRepresentation } from './resolve-field.ts'
import { isOnCitus } from './scope.ts'
import type { Scope } from './scope.ts'

/**
 * Which columns a body sets: those of the `columns` parameter, else the keys of its (first) object.
 *
 * @throws PGRST204 for a name that is no column
 */
export function planPayload(scope: Scope, { request, body, relation }: Mutation): Payload {
  const keys = body.kind === 'json' ? body.keys : []
  const names = new Set(request.query.columns ?? keys)
  return {
    alias: scope.alias('pando_body'),
    shape: body.kind === 'json' && body.isArray ? 'array' : 'object',
    columns: [...names].map((name): PayloadColumn => {
      const column = relation.columns.get(name)
      if (column === undefined) throw errors.noColumn(relation.name, name)
      const fromJson = findRepresentation(scope, 'json', column.type)
      return { column, fromJson }
    }),
    fillsDefaults: request.preferences.missing === 'default' && request.query.columns !== undefined,
    asSet: isOnCitus(scope),
  }
}
