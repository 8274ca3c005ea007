import type { Caller } from '@pando/core/caller'
import { quoteName } from '@pando/postgres/quote'
import type { CompiledRequest } from './plan/compiled-request.ts'
import type { ApiRequest } from './request/api-request.ts'
import type { RestConfig } from './rest-config.ts'

export type Settings = readonly (readonly [name: string, value: string])[]

/** What of a request policies and functions may ask for. */
export type RequestFacts = {
  readonly caller: Caller
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/**
 * What Postgres is told of a request before its statement runs; gone again when the transaction ends (PostgREST v14,
 * "Transaction-Scoped Settings").
 */
export function requestSettings({ caller, method, path, headers }: RequestFacts): Settings {
  const settings: [name: string, value: string][] = [
    ['request.jwt.claims', caller.claimsJson],
    // What `auth.uid()` looks at first, so that a policy that calls it per row parses no JSON (decision 0003).
    ['request.jwt.claim.sub', typeof caller.claims.sub === 'string' ? caller.claims.sub : ''],
    ['request.method', method],
    ['request.path', path],
    ['request.headers', headersJson(headers)],
  ]
  // Without any, the connection's own setting holds: `{}`.
  if (headers['cookie'] !== undefined) settings.push(['request.cookies', cookiesJson(headers['cookie'])])
  return settings
}

/**
 * Settings that a statement needs besides: those of the called function, a time zone, a search path. The search path of
 * the default schema is the connection's own, so most requests need none.
 */
export function statementSettings(request: ApiRequest, compiled: CompiledRequest, config: RestConfig): Settings {
  const settings = [...config.appSettings, ...compiled.settings]
  const schema = request.target.kind === 'root' ? config.schemas[0] : request.target.name.schema
  if (schema !== undefined && schema !== config.schemas[0]) settings.push(['search_path', searchPath(schema, config)])
  if (request.preferences.timezone !== undefined) settings.push(['TimeZone', request.preferences.timezone])
  return settings
}

/** The schema of the request first, then the extra ones, quoted; one that is both is there twice, as in PostgREST. */
export function searchPath(schema: string, { extraSearchPath }: Pick<RestConfig, 'extraSearchPath'>): string {
  return [schema, ...extraSearchPath].map(quoteName).join(', ')
}

/** All headers except cookies, which have a setting of their own. */
function headersJson(headers: RequestFacts['headers']): string {
  if (headers['cookie'] === undefined) return JSON.stringify(headers)
  const { cookie: _, ...rest } = headers
  return JSON.stringify(rest)
}

/** `a=1; b=2` as a JSON object; a name without `=` is left out. */
export function cookiesJson(header: string | string[] | undefined): string {
  if (header === undefined) return '{}'
  const cookies: [string, string][] = []
  for (const part of String(header).split(';')) {
    const at = part.indexOf('=')
    const name = part.slice(0, at).trim()
    if (at !== -1 && name !== '') cookies.push([name, part.slice(at + 1).trim()])
  }
  return JSON.stringify(Object.fromEntries(cookies))
}
