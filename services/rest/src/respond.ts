import type { Catalogue } from '@pando/catalogue/catalogue'
import type { Answer } from './answer.ts'
import { appliedPreferences } from './applied-preferences.ts'
import { contentRange, pageStatus } from './content-range.ts'
import { errors } from './errors.ts'
import type { Question } from './execute.ts'
import { overrideAnswer } from './override-answer.ts'
import type { ResultSet } from './result-set.ts'

/**
 * Turns what Postgres found into the answer of the wire (PostgREST v14: status, `Content-Range`, `Location`,
 * `Preference-Applied`). The body stays the bytes that Postgres made.
 */
export function respond(question: Question, found: ResultSet): Answer {
  const { compiled } = question
  if (compiled.kind === 'explain') return { status: 200, headers: contentHeaders(question), body: found.body ?? '' }
  const answer = compiled.kind === 'mutate' ? mutationAnswer(question, found) : pageAnswer(question, found)
  return overrideAnswer(answer, found)
}

/** Reads, and calls of functions that answer. */
function pageAnswer(question: Question, found: ResultSet): Answer {
  const { request, compiled, range } = question
  const status = pageStatus(range.offset, found.pageRows, found.total)
  if (status === 416) {
    throw errors.outOfRange(range.offset, found.total ?? 0)
  }
  const headers: Answer['headers'] = {
    'Content-Range': contentRange(range.offset, range.offset + found.pageRows - 1, found.total),
  }
  confirmPreferences(headers, question)
  if (compiled.isVoid) return { status: 204, headers }
  Object.assign(headers, contentHeaders(question))
  if (compiled.kind === 'read') headers['Content-Location'] = contentLocation(question)
  return request.method === 'HEAD' ? { status, headers } : { status, headers, body: found.body ?? '' }
}

function mutationAnswer(question: Question, found: ResultSet): Answer {
  const { request, compiled } = question
  const { preferences } = request
  const headers: Answer['headers'] = {}
  const asksBody = preferences.return === 'representation'
  const counted = preferences.count === 'exact' || preferences.count === 'estimated' ? found.pageRows : undefined
  if (compiled.mutation !== 'put') {
    const last = compiled.mutation === 'update' ? found.pageRows - 1 : -1
    headers['Content-Range'] = contentRange(0, last, counted)
  }
  if (found.location !== undefined && request.target.kind === 'relation') {
    headers['Location'] = `/${encodeURIComponent(request.target.name.name)}?${found.location}`
  }
  confirmPreferences(headers, question)
  if (asksBody) Object.assign(headers, contentHeaders(question))
  const status = mutationStatus(question, found, asksBody)
  return asksBody ? { status, headers, body: found.body ?? '' } : { status, headers }
}

function mutationStatus({ request, compiled }: Question, found: ResultSet, asksBody: boolean): number {
  const inserted = found.inserted ?? 0
  if (compiled.mutation === 'put') return asksBody ? (inserted > 0 ? 201 : 200) : 204
  if (compiled.mutation === 'insert' || compiled.mutation === 'upsert') {
    if (found.inserted === undefined) return 201
    return inserted <= 0 && request.preferences.resolution === 'merge-duplicates' ? 200 : 201
  }
  return asksBody ? 200 : 204
}

function confirmPreferences(headers: Answer['headers'], { request, compiled }: Question): void {
  const isCreation = compiled.mutation === 'insert' || compiled.mutation === 'upsert'
  const applied = appliedPreferences(request.preferences, {
    resolution: compiled.mutation === 'upsert',
    return: compiled.kind === 'mutate',
    missing: isCreation || compiled.mutation === 'update',
    maxAffected: compiled.kind === 'call' || compiled.mutation === 'update' || compiled.mutation === 'delete',
  })
  if (applied !== undefined) headers['Preference-Applied'] = applied
}

function contentHeaders({ request, compiled }: Question): Record<string, string> {
  const headers: Record<string, string> = { 'Content-Type': compiled.output.contentType }
  if (request.profile !== undefined) headers['Content-Profile'] = request.profile
  return headers
}

/** The resource with its parameters in the order of their names, so that caches see one address. */
function contentLocation({ request, rawQuery }: Question): string {
  if (request.target.kind === 'root') return '/'
  const name = `/${encodeURIComponent(request.target.name.name)}`
  if (rawQuery === '') return name
  return `${name}?${rawQuery.includes('&') ? rawQuery.split('&').sort().join('&') : rawQuery}`
}

/** `OPTIONS`: which verbs a relation or function takes (PostgREST v14, "OPTIONS"). */
export function describeVerbs(target: Question['request']['target'], catalogue: Catalogue): Answer {
  return { status: 200, headers: { 'Access-Control-Allow-Origin': '*', Allow: verbsOf(target, catalogue) } }
}

function verbsOf(target: Question['request']['target'], catalogue: Catalogue): string {
  if (target.kind === 'root') return 'OPTIONS,GET,HEAD'
  const key = `${target.name.schema}\0${target.name.name}`
  if (target.kind === 'routine') {
    const routines = catalogue.routines.get(key) ?? []
    return routines.some((routine) => routine.volatility !== 'volatile') ? 'OPTIONS,GET,HEAD,POST' : 'OPTIONS,POST'
  }
  const relation = catalogue.relations.get(key)
  if (relation === undefined) throw errors.noRelation(target.name.schema, target.name.name, undefined)
  const verbs = ['OPTIONS,GET,HEAD']
  if (relation.insertable) verbs.push('POST')
  if (relation.insertable && relation.updatable && relation.primaryKey.length > 0) verbs.push('PUT')
  if (relation.updatable) verbs.push('PATCH')
  if (relation.deletable) verbs.push('DELETE')
  return verbs.join(',')
}
