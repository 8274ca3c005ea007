import type { Catalogue } from '@pando/catalogue/catalogue'
import { LRUCache } from 'lru-cache'
import { compile } from './plan/compile.ts'
import type { CompiledRequest } from './plan/compiled-request.ts'
import { pageKey } from './plan/page-class.ts'
import type { ApiRequest, BodyShape } from './request/api-request.ts'
import type { RestConfig } from './rest-config.ts'

/**
 * Remembers the SQL of request shapes for one catalogue: the second request of a shape is only parsed and run. A new
 * catalogue gets a new compiler, so nothing compiled against an old schema outlives it.
 */
export type Compiler = (request: ApiRequest, body: BodyShape) => CompiledRequest

export function createCompiler(catalogue: Catalogue, config: RestConfig, compiledMax: number): Compiler {
  const compiled = new LRUCache<string, CompiledRequest>({ max: compiledMax })
  return (request, body) => {
    const key = `${shapeKey(request, body)}\0${pageKey(request, config)}`
    const known = compiled.get(key)
    if (known !== undefined) return known
    const fresh = compile({ catalogue, config }, request, body)
    compiled.set(key, fresh)
    return fresh
  }
}

/**
 * Equal keys mean equal SQL: everything that `compile` looks at is in it. NUL separates, as it cannot be in a name;
 * keys of a body are counted too, because one empty key is not none.
 */
function shapeKey(request: ApiRequest, body: BodyShape): string {
  const { target, preferences } = request
  const name = target.kind === 'root' ? '' : `${target.name.schema}\0${target.name.name}`
  const bodyKey =
    body.kind === 'json'
      ? `${body.isArray}${body.isEmptyArray}${body.isScalar}${body.keys.length}\0${body.keys.join('\0')}`
      : body.kind
  const preferenceKey = `${preferences.resolution}\0${preferences.return}\0${preferences.count}\0${preferences.missing}\0${preferences.handling}\0${preferences.maxAffected !== undefined}`
  return `${request.method}\0${target.kind}\0${name}\0${request.query.shape}\0${preferenceKey}\0${mediaKey(request)}\0${bodyKey}`
}

function mediaKey({ accept, contentType }: ApiRequest): string {
  let key = contentType.essence
  for (const { essence, parameters } of accept) {
    key += `\0${essence}`
    for (const name in parameters) key += `;${name}=${parameters[name]}`
  }
  return key
}
