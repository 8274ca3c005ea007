import type { QualifiedName, Relation } from '@pando/catalogue/catalogue'
import { suggestRelation } from '@pando/catalogue/suggest'
import type { CompiledStatement } from '../compiled.ts'
import { errors } from '../errors.ts'
import type { ApiRequest, BodyShape } from '../request/api-request.ts'
import { writeCallStatement } from '../sql/write-call-statement.ts'
import { writeEstimate } from '../sql/write-estimate.ts'
import { writeMutationStatement } from '../sql/write-mutation-statement.ts'
import { writeReadStatement } from '../sql/write-read-statement.ts'
import type { Answering } from '../sql/write-read-statement.ts'
import { chooseMedia } from './choose-media.ts'
import type { Explain, Media } from './choose-media.ts'
import type { CompiledRequest } from './compiled-request.ts'
import type { MutatePlan } from './mutate-plan.ts'
import { pageClass } from './page-class.ts'
import { planCall } from './plan-call.ts'
import { planMutation, withoutSystemColumns } from './plan-mutation.ts'
import { planRead } from './plan-read.ts'
import { findComputed } from './resolve-field.ts'
import { createScope, findRelation, isOnCitus } from './scope.ts'
import type { Context, Scope } from './scope.ts'
import { toSources } from './sources.ts'
import { selectsWholeRows } from './whole-rows.ts'

/**
 * Turns a parsed request into a statement: names are resolved against the catalogue into a plan, the plan is written as
 * SQL. Depends on the shapes of request and body and on `pageKey`, on no other value.
 *
 * @throws the PGRST refusals of planning, see `errors`
 */
export function compile(context: Context, request: ApiRequest, body: BodyShape): CompiledRequest {
  const { target, method } = request
  if (target.kind === 'routine') return compileCall(context, target.name, { request, body })
  if (target.kind === 'root') throw errors.method(method)
  const scope = createScope(context, target.name.schema, request.query.shardKeySlot)
  const relation = findRelation(scope, target.name)
  if (relation === undefined) {
    const { schema, name } = target.name
    throw errors.noRelation(schema, name, suggestRelation(context.catalogue, schema, name))
  }
  if (method === 'GET' || method === 'HEAD') return compileRead(scope, relation, request)
  return compileMutation(scope, relation, { request, body })
}

function compileRead(scope: Scope, relation: Relation, request: ApiRequest): CompiledRequest {
  const { query } = request
  const media = chooseMedia(request.accept, { ...scope, relation, wholeRows: selectsWholeRows(query.select) })
  const read = planRead(
    scope,
    {
      source: { kind: 'relation', name: { schema: relation.schema, name: relation.name } },
      alias: scope.alias(relation.name),
      relation,
      use: 'root',
      page: pageClass(request, scope.config),
    },
    { select: query.select, parts: query, values: query.values },
  )
  const answering = toAnswering(scope, request, media)
  const compiled = finish(media, writeReadStatement(read, answering), {
    kind: 'read',
    access: 'read',
    hasBody: answering.hasBody,
  })
  const answered = compiled.kind === 'read' ? { ...compiled, sources: toSources(relation, read, media) } : compiled
  return wantsEstimate(request) ? { ...answered, estimate: writeEstimate(read) } : answered
}

type Arrived = { readonly request: ApiRequest; readonly body: BodyShape }

const changes = { POST: 'insert', PATCH: 'update', DELETE: 'delete', PUT: 'put' } as const

function compileMutation(scope: Scope, relation: Relation, { request, body }: Arrived): CompiledRequest {
  const { method } = request
  if (!(method in changes)) throw errors.method(method)
  const media = chooseMedia(request.accept, { ...scope, relation, wholeRows: selectsWholeRows(request.query.select) })
  const plan = planMutation(scope, { request, body, relation })
  const change = changes[method as keyof typeof changes]
  const isUpsert = change === 'insert' && plan.change.kind === 'insert' && plan.change.conflict !== undefined
  const answering = { format: media.format, hasBody: plan.read !== undefined }
  const finished = (of: MutatePlan): CompiledRequest =>
    finish(
      media,
      writeMutationStatement(of, answering, (name) => findComputed(scope, relation, name)),
      { kind: 'mutate', access: 'write', hasBody: answering.hasBody },
    )
  const plain = withoutSystemColumns(plan)
  return {
    ...finished(plan),
    mutation: isUpsert ? 'upsert' : change,
    ...(plain && { plainStatement: finished(plain).statement }),
    ...(plan.change.kind === 'update' && { keptKey: plan.change.keptKey }),
  }
}

function compileCall(context: Context, name: QualifiedName, arrived: Arrived): CompiledRequest {
  const { request } = arrived
  const { method } = request
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') throw errors.rpcMethod(method)
  const scope = createScope(context, name.schema, request.query.shardKeySlot)
  const plan = planCall(scope, { ...arrived, name })
  const { routine, result } = plan
  const relation = result.kind === 'rows' ? result.read.relation : undefined
  const wholeRows = selectsWholeRows(request.query.select)
  const media = chooseMedia(request.accept, { ...scope, relation, routine, wholeRows })
  // No plan of a call tells how many rows it gives: an estimate is a count to the end, and a planned one is none.
  const total = request.preferences.count === 'estimated' ? { total: {} } : {}
  const answering = { ...toAnswering(scope, request, media), ...total }
  const hasBody = answering.hasBody && result.kind !== 'void'
  const statement = writeCallStatement(plan, { ...answering, hasBody }, (column) =>
    findComputed(scope, relation, column),
  )
  const isWrite = method === 'POST' && routine.volatility === 'volatile'
  return {
    ...finish(media, statement, { kind: 'call', access: isWrite ? 'write' : 'read', hasBody }),
    settings: routine.settings.filter(([setting]) => context.config.hoistedTxSettings.includes(setting)),
    isSingleResult: !routine.returns.isSet,
    isVoid: result.kind === 'void',
  }
}

function toAnswering(scope: Scope, request: ApiRequest, { format }: Media): Answering {
  const { count } = request.preferences
  const { maxRows } = scope.config
  const hasBody = request.method !== 'HEAD'
  if (count === 'exact') return { format, hasBody, total: {} }
  if (count === 'estimated' && maxRows !== undefined) {
    return { format, hasBody, total: { upTo: maxRows + 1, hasColumn: isOnCitus(scope) } }
  }
  return { format, hasBody }
}

function wantsEstimate({ preferences }: ApiRequest): boolean {
  return preferences.count === 'planned' || preferences.count === 'estimated'
}

type Facts = Pick<CompiledRequest, 'access' | 'hasBody'> & { readonly kind: 'read' | 'mutate' | 'call' }

function finish(media: Media, statement: CompiledStatement, facts: Facts): CompiledRequest {
  const { contentType, format, explain, isBinary } = media
  return {
    ...facts,
    kind: explain === undefined ? facts.kind : 'explain',
    statement: explain === undefined ? statement : explained(statement, explain),
    output: { contentType, singular: format.kind === 'json' && format.singular, isBinary },
    settings: [],
    isSingleResult: false,
    isVoid: false,
  }
}

function explained(statement: CompiledStatement, { format, options }: Explain): CompiledStatement {
  return {
    ...statement,
    text: `explain (format ${format}${options.map((option) => `, ${option}`).join('')}) ${statement.text}`,
  }
}
