import type { Reason } from '@pando/cache/analysis'
import { parseDirectives } from '@pando/cache/directives'
import type { ReadNow } from '@pando/cache/witness'
import type { Catalogue } from '@pando/catalogue/catalogue'
import type { Caller } from '@pando/core/caller'
import { laterLsn, type Lsn } from '@pando/postgres/lsn'
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { Answer } from './answer.ts'
import type { RestCache, RestDeps } from './deps.ts'
import { bind, execute, type Execution } from './execute.ts'
import type { CompiledRequest } from './plan/compiled-request.ts'
import type { ReadSources } from './plan/sources.ts'
import { respond } from './respond.ts'
import { withUse } from './with-use.ts'

/** What an execution does not say of its request. */
export type Requester = {
  readonly caller: Caller
  readonly anonRole: string
  readonly catalogue: Catalogue
  readonly headers: IncomingHttpHeaders
}

/** Reads that may be kept are asked of the cache, everything else of Postgres. */
export function answerRequest(deps: RestDeps, execution: Execution, requester: Requester): Promise<Answer> {
  const { compiled, request } = execution
  if (deps.cache !== undefined && compiled.sources !== undefined && request.method === 'GET') {
    return readThrough(deps, deps.cache, { ...requester, execution, sources: compiled.sources })
  }
  return execute(deps, execution).then((found) => respond(execution, found))
}

type Read = Requester & { readonly execution: Execution; readonly sources: ReadSources }

async function readThrough(deps: RestDeps, cache: RestCache, read: Read): Promise<Answer> {
  const { execution, sources, caller, headers } = read
  const { params } = bind(execution.compiled.statement, execution)
  const values = params.map((value) => (typeof value === 'string' ? value : null))
  const asked = {
    shape: toShape(read),
    values,
    sources,
    caller,
    needs: toNeeds(cache, execution),
    directives: parseDirectives(headers['cache-control']),
    hindrance: sources.hindrance ?? findHindrance(read, values),
  }
  const { page, use } = await cache.answers.read(asked, (witness) => readNow(deps, execution, witness))
  const answer = respond(execution, page)
  if (use === undefined) return answer
  const isAnonymous = caller.role === read.anonRole
  return withUse(answer, use, { ...cache, isAnonymous, sources, ifNoneMatch: headers['if-none-match'] })
}

/** With a witness the primary is asked: what a replica has seen cannot be told there. */
function readNow(deps: RestDeps, execution: Execution, witness: Parameters<ReadNow>[0]): ReturnType<ReadNow> {
  return execute(deps, witness === undefined ? execution : { ...execution, consistency: undefined, witness })
}

function toNeeds({ commits }: RestCache, { consistency }: Execution): Lsn {
  if (consistency === undefined) return 0n
  return laterLsn(commits.neededBy(consistency.caller), consistency.atLeast ?? 0n)
}

const shapes = new WeakMap<CompiledRequest, Map<string, string>>()

/** Everything but values and claims that the answer depends on; the same in all processes. */
function toShape({ execution, caller, catalogue }: Read): string {
  const { compiled, request } = execution
  const byRole = shapes.get(compiled) ?? new Map<string, string>()
  shapes.set(compiled, byRole)
  let shape = byRole.get(caller.role)
  if (shape === undefined) {
    const { statement, output } = compiled
    const settings = catalogue.roleSettings.get(caller.role) ?? []
    const all = JSON.stringify([statement.text, statement.perRow, output, settings])
    byRole.set(caller.role, (shape = createHash('sha256').update(all).digest('base64url')))
  }
  const { timezone } = request.preferences
  return timezone === undefined ? shape : `${shape} ${timezone}`
}

/** What makes an answer another one without a change of rows. */
function findHindrance({ execution, catalogue }: Read, values: readonly (string | null)[]): Reason | undefined {
  const { config, compiled } = execution
  if (catalogue.shardKeys !== undefined) {
    return {
      code: 'sharded',
      text: 'tables are spread over servers, and the log of this one does not tell of the others',
    }
  }
  if (config.preRequest !== undefined) {
    const { schema, name } = config.preRequest
    return { code: 'pre_request', text: `${schema}.${name} runs before every request` }
  }
  if (compiled.estimate !== undefined) return { code: 'estimate', text: 'a planned count depends on statistics' }
  if (values.some((value) => value !== null && asksTime.test(value))) {
    return { code: 'time', text: 'a value of the request may mean the time' }
  }
  return undefined
}

/** What Postgres takes for a moment, where a value is one: `created_at=gte.today`. */
const asksTime = /(?<![a-z])(?:now|today|tomorrow|yesterday)(?![a-z])/i
