import type { QualifiedName, Relation, Routine } from '@pando/catalogue/catalogue'
import { errors } from '../errors.ts'
import type { ApiRequest, BodyShape } from '../request/api-request.ts'
import type { CallInput, CallPlan } from './call-plan.ts'
import { chooseRoutine, isUnnamed } from './choose-routine.ts'
import { pageClass } from './page-class.ts'
import { rowsName } from './plan-mutation.ts'
import { planRead } from './plan-read.ts'
import { findRelation, isOnCitus } from './scope.ts'
import type { Scope } from './scope.ts'

export type Invocation = { readonly request: ApiRequest; readonly body: BodyShape; readonly name: QualifiedName }

/**
 * Plans a call by GET, HEAD (arguments in the query string) or POST (in the body).
 *
 * @throws PGRST202, PGRST203; PGRST128 for `max-affected` when not a set is returned; and what reading throws
 */
export function planCall(scope: Scope, invocation: Invocation): CallPlan {
  const { request, body, name } = invocation
  const isPost = request.method === 'POST'
  const argumentNames = new Set(isPost ? bodyNames(request, body) : request.query.args.map((each) => each.name))
  const bodyType = isPost ? { bodyType: request.contentType.essence } : {}
  const routine = chooseRoutine(scope.catalogue, { name, argumentNames, ...bodyType })
  const { preferences } = request
  if (preferences.maxAffected !== undefined && preferences.handling === 'strict' && !routine.returns.isSet) {
    throw errors.maxAffectedRpc()
  }
  return { routine, input: planInput(request, body, routine), result: planResult(scope, request, routine) }
}

function bodyNames({ query }: ApiRequest, body: BodyShape): readonly string[] {
  return query.columns ?? (body.kind === 'json' ? body.keys : [])
}

function planInput(request: ApiRequest, body: BodyShape, routine: Routine): CallInput {
  const [first] = routine.parameters
  if (isUnnamed(routine) && request.method === 'POST' && first) return { kind: 'body', type: first.baseType }
  if (request.method !== 'POST') return { kind: 'slots', arguments: slotArguments(request, routine) }
  const given = new Set(bodyNames(request, body))
  const parameters = routine.parameters.filter((each) => given.has(each.name))
  const isForm = request.contentType.essence === 'application/x-www-form-urlencoded'
  return { kind: 'object', parameters, isArray: body.kind === 'json' && body.isArray, isForm }
}

/** Of a repeated name the last value counts, unless the parameter is variadic and takes all. */
function slotArguments({ query }: ApiRequest, routine: Routine): Extract<CallInput, { kind: 'slots' }>['arguments'] {
  return routine.parameters.flatMap((parameter) => {
    const slots = query.args.filter(({ name }) => name === parameter.name).map(({ slot }) => slot)
    if (slots.length === 0) return []
    return [{ parameter, slots: parameter.isVariadic ? slots : slots.slice(-1) }]
  })
}

function planResult(scope: Scope, request: ApiRequest, routine: Routine): CallPlan['result'] {
  const { type, isSet } = routine.returns
  if (type.kind === 'void') return { kind: 'void' }
  const page = pageClass(request, scope.config)
  if (type.kind === 'scalar') {
    return { kind: 'values', isSet, limit: page.kind === 'all' ? undefined : { kind: 'root', page } }
  }
  const relation: Relation | undefined = type.relation === undefined ? undefined : findRelation(scope, type.relation)
  const { query } = request
  const target = {
    source: { kind: 'rows', name: rowsName },
    alias: scope.alias(relation?.name ?? routine.name),
    use: 'root',
    page,
    relation,
    types: new Map(routine.returns.columns?.map((column) => [column.name, column.type])),
  } as const
  const read = planRead(scope, target, { select: query.select, parts: query, values: query.values })
  return { kind: 'rows', read, isSet, staysHere: isOnCitus(scope) && read.embeds.length > 0 }
}
