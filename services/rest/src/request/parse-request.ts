import type { ApiRequest, Method } from './api-request.ts'
import type { QueryTarget } from './parse-query.ts'
import { errors } from '../errors.ts'
import { decodePercent } from './decode.ts'
import { parseAccept, parseContentType } from './media-type.ts'
import { parsePreferences } from './parse-preferences.ts'
import { parseQuery } from './parse-query.ts'
import { parseRange } from './parse-range.ts'

/** One request as it came: the path below the service's prefix (`/`, `/items`, `/rpc/add`), the query without `?`. */
export type RawRequest = {
  readonly method: string
  readonly path: string
  readonly rawQuery: string
  /** The value of a header by its name in lower case; several of one name joined by commas. */
  readonly header: (name: string) => string | undefined
}

type Target = ApiRequest['target']

/**
 * Turns a request into data, looking nothing up. Refuses with PGRST125 a path that names nothing, PGRST106 a schema
 * that is not exposed, PGRST117 and PGRST101 a method that its target does not have, PGRST100 a query string that is
 * none, PGRST114 paging of PUT.
 */
export function parseRequest(raw: RawRequest, config: { readonly schemas: readonly string[] }): ApiRequest {
  const place = readPath(raw.path)
  const { schema, profile } = readProfile(raw, config.schemas)
  const method = readMethod(raw.method, place.kind)
  const target: Target = place.kind === 'root' ? place : { kind: place.kind, name: { schema, name: place.name } }
  const query = parseQuery(raw.rawQuery, queryTarget(target, method))
  if (method === 'PUT') mustNotPage(query)
  return {
    method,
    target,
    profile,
    query,
    preferences: parsePreferences(raw.header('prefer')),
    // RFC 9110 §14.2: a Range header means something for GET alone.
    range: method === 'GET' ? parseRange(raw.header('range')) : undefined,
    accept: parseAccept(raw.header('accept')),
    contentType: parseContentType(raw.header('content-type')),
  }
}

type Place = { readonly kind: 'root' } | { readonly kind: 'relation' | 'routine'; readonly name: string }

function readPath(path: string): Place {
  const [, first, second, ...more] = path.split('/')
  if (more.length > 0) throw errors.path()
  if (second !== undefined) {
    if (first !== 'rpc' || second === '') throw errors.path()
    return { kind: 'routine', name: readSegment(second) }
  }
  if (first === undefined || first === '') return { kind: 'root' }
  return { kind: 'relation', name: readSegment(first) }
}

function readSegment(segment: string): string {
  const name = segment.includes('%') ? decodePercent(segment) : segment
  if (name.includes('\0')) throw errors.path()
  return name
}

const relationMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PATCH', 'PUT', 'DELETE', 'OPTIONS'])
const routineMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'OPTIONS'])
const rootMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

function readMethod(method: string, kind: Place['kind']): Method {
  if (kind === 'routine' && !routineMethods.has(method)) throw errors.rpcMethod(method)
  const known = kind === 'root' ? rootMethods : relationMethods
  if (!known.has(method)) throw errors.method(method)
  return method as Method
}

const writing: ReadonlySet<string> = new Set(['POST', 'PATCH', 'PUT', 'DELETE'])

/** `Content-Profile` of writes, `Accept-Profile` of everything else. */
function readProfile(raw: RawRequest, schemas: readonly string[]): { schema: string; profile?: string } {
  const named = raw.header(writing.has(raw.method) ? 'content-profile' : 'accept-profile')
  if (named !== undefined && !schemas.includes(named)) throw errors.schemaNotExposed(named, schemas)
  const schema = named ?? schemas[0] ?? 'public'
  const isNegotiated = named !== undefined || schemas.length > 1
  return { schema, profile: isNegotiated ? schema : undefined }
}

function queryTarget(target: Target, method: Method): QueryTarget {
  if (target.kind !== 'routine') return 'relation'
  return method === 'POST' ? 'routine' : 'routine-get'
}

/** `offset=0` is no paging. */
function mustNotPage(query: ApiRequest['query']): void {
  const limit = query.limits.some((one) => one.path.length === 0)
  const offset = query.offsets.some((one) => one.path.length === 0 && Number(query.values[one.slot]) > 0)
  if (limit || offset) throw errors.putLimit()
}
