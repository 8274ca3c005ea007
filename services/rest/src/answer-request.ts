import type { Answered, CachedRead } from '@pando/cache/cached-read'
import { parseDirectives } from '@pando/cache/directives'
import type { ReadNow } from '@pando/cache/witness'
import type { Catalogue } from '@pando/catalogue/catalogue'
import type { Caller } from '@pando/core/caller'
import type { Consistency } from '@pando/postgres/exchange'
import { laterLsn, type Lsn } from '@pando/postgres/lsn'
import type { IncomingMessage } from 'node:http'
import type { Answer } from './answer.ts'
import { consistencyOf } from './consistency.ts'
import type { RestCache, RestDeps } from './deps.ts'
import { execute, type Execution } from './execute.ts'
import { type KnownRead, type KnownReads, toKnownRead } from './known-reads.ts'
import { respond } from './respond.ts'
import { withStatus, withTag, withUse } from './with-use.ts'

/** What an execution does not say of its request. */
export type Requester = {
  readonly caller: Caller
  readonly raw: IncomingMessage
  readonly served: Served
}

/** What requests are answered by while a catalogue is the one that is served. */
export type Served = {
  readonly catalogue: Catalogue
  readonly anonRole: string
  /** Where answers are kept. */
  readonly knownReads: KnownReads | undefined
}

/** Reads that may be kept are asked of the cache, everything else of Postgres. */
export function answerRequest(deps: RestDeps, execution: Execution, requester: Requester): Promise<Answer> {
  const { compiled, request } = execution
  if (deps.cache !== undefined && compiled.sources !== undefined && request.method === 'GET') {
    return readThrough(deps, deps.cache, {
      ...requester,
      execution,
      read: toKnownRead(execution, compiled.sources, requester.served.catalogue),
    })
  }
  return execute(deps, execution).then((found) => respond(execution, found))
}

/**
 * The answer to a read that was asked before, if it is kept and right: a known text, a known caller, and nothing is parsed.
 * Undefined sends the request on its way.
 */
export function answerKept({ cache, replicas }: RestDeps, requester: Requester): Answer | undefined {
  const read = requester.served.knownReads?.find(requester.raw)
  if (cache === undefined || read === undefined) return undefined
  const asking: Asking = { ...requester, read }
  const answered = cache.answers.recall(toAsked(cache, asking, consistencyOf(replicas, requester)))
  return answered && render(cache, asking, answered)
}

/**
 * What was right a while ago, for a request that would be refused. Who has got a token or written within that time is shown
 * nothing of it.
 */
export function answerStale({ cache, replicas }: RestDeps, requester: Requester): Answer | undefined {
  const read = requester.served.knownReads?.find(requester.raw)
  if (cache === undefined || read === undefined || replicas === undefined) return undefined
  const asking: Asking = { ...requester, read }
  const lagMsMax = Math.max(replicas.lagMsMax, cache.options.staleWhileShedding)
  const answered = cache.answers.recallStale(
    toAsked(cache, asking, consistencyOf({ ...replicas, lagMsMax }, requester)),
  )
  return answered && render(cache, asking, answered)
}

type Asking = Requester & { readonly read: KnownRead }

async function readThrough(
  deps: RestDeps,
  cache: RestCache,
  asking: Asking & { readonly execution: Execution },
): Promise<Answer> {
  const { execution, read, raw, served } = asking
  const asked = toAsked(cache, asking, execution.consistency)
  const answered = await cache.answers.read(asked, (witness) => readNow(deps, execution, witness))
  if (answered.use?.kind === 'kept') served.knownReads?.remember(raw, read)
  return render(cache, asking, answered)
}

/** With a witness the primary is asked: what a replica has seen cannot be told there. */
function readNow(deps: RestDeps, execution: Execution, witness: Parameters<ReadNow>[0]): ReturnType<ReadNow> {
  return execute(deps, witness === undefined ? execution : { ...execution, consistency: undefined, witness })
}

function toAsked(cache: RestCache, { read, caller, raw }: Asking, consistency: Consistency | undefined): CachedRead {
  return {
    name: read.nameFor(caller.role),
    sources: read.sources,
    caller,
    needs: toNeeds(cache, consistency),
    directives: parseDirectives(raw.headers['cache-control']),
    hindrance: read.hindrance,
  }
}

function toNeeds({ commits }: RestCache, consistency: Consistency | undefined): Lsn {
  if (consistency === undefined) return 0n
  return laterLsn(commits.neededBy(consistency.caller), consistency.atLeast ?? 0n)
}

function render(cache: RestCache, asking: Asking, { page, use }: Answered): Answer {
  const { read, caller, raw, served } = asking
  const ifNoneMatch = raw.headers['if-none-match']
  const about = { options: cache.options, isAnonymous: caller.role === served.anonRole, sources: read.sources }
  if (use === undefined) return respond(read.question, page)
  if (use.kind === 'bypass' || use.outcome === 'stale') {
    return withUse(respond(read.question, page), use, { ...about, ifNoneMatch })
  }
  let answer = read.rendered.get(page)
  if (answer === undefined) read.rendered.set(page, (answer = withTag(respond(read.question, page), use, about)))
  return withStatus(answer, use, ifNoneMatch)
}
