import type { Caller } from '@pando/core/caller'
import type { Deadline } from '@pando/core/deadline'
import type { HangUp } from '@pando/postgres/exchange'
import type { Catalogue } from '@pando/catalogue/catalogue'
import type { Answer } from './answer.ts'
import type { RestDeps } from './deps.ts'
import { errors } from './errors.ts'
import { listPrivileges, parsePrivileges } from './openapi/privileges.ts'
import type { Privileges } from './openapi/privileges.ts'
import { renderOpenApi } from './openapi/render-openapi.ts'
import { requestSettings } from './request-settings.ts'
import type { ApiRequest } from './request/api-request.ts'
import type { RestConfig } from './rest-config.ts'

export type RootRequest = {
  readonly catalogue: Catalogue
  readonly config: RestConfig
  readonly caller: Caller
  readonly request: ApiRequest
  readonly deadline: Deadline
  readonly signal: HangUp
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly scheme: 'http' | 'https'
  readonly path: string
}

const openApiType = 'application/openapi+json'

/**
 * `GET /`: the OpenAPI description of one schema, as far as the caller may use it (PostgREST v14, "OpenAPI").
 *
 * @throws PGRST126 when it is switched off, PGRST107 when the caller takes no JSON
 */
export async function describeRoot(deps: RestDeps, root: RootRequest): Promise<Answer> {
  const { catalogue, config, request } = root
  if (config.openapiMode === 'disabled') throw errors.openapiDisabled()
  mustAcceptJson(request)
  const schema = request.profile ?? (config.schemas[0] as string)
  const privileges = config.openapiMode === 'follow-privileges' ? await readPrivileges(deps, root, schema) : undefined
  const body = renderOpenApi(catalogue, config, {
    schema,
    ...(privileges === undefined ? {} : { privileges }),
    scheme: root.scheme,
    host: String(root.headers['host'] ?? 'localhost'),
    basePath: root.path.replace(/\/$/, '') || '/',
    version: '14.12',
  })
  const headers: Answer['headers'] = { 'Content-Type': `${openApiType}; charset=utf-8` }
  if (request.profile !== undefined) headers['Content-Profile'] = request.profile
  return request.method === 'HEAD' ? { status: 200, headers } : { status: 200, headers, body }
}

function mustAcceptJson({ accept }: ApiRequest): void {
  const takes = ({ essence }: { essence: string }): boolean =>
    essence === '*/*' || essence === openApiType || essence === 'application/json'
  if (accept.length > 0 && !accept.some(takes)) throw errors.mediaType(accept.map(({ essence }) => essence))
}

async function readPrivileges(deps: RestDeps, root: RootRequest, schema: string): Promise<Privileges> {
  const { caller, request, deadline, signal, headers, path } = root
  const settings = requestSettings({ caller, method: request.method, path, headers })
  const statements = [{ text: listPrivileges, params: [schema] }]
  const [listed] = await deps.run({ role: caller.role, access: 'read', settings, statements, deadline, signal })
  return parsePrivileges(listed?.rows[0]?.[0]?.toString())
}
