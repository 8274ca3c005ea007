import type { Reason } from '@pando/cache/analysis'
import type { Page } from '@pando/cache/page'
import type { Catalogue } from '@pando/catalogue/catalogue'
import { LRUCache } from 'lru-cache'
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Answer } from './answer.ts'
import { bind, type Execution, type Question } from './execute.ts'
import type { CompiledRequest } from './plan/compiled-request.ts'
import type { ReadSources } from './plan/sources.ts'

/** A read whose answer may be kept: all of it that is the same whoever asks. */
export type KnownRead = {
  readonly question: Question
  readonly sources: ReadSources
  /** Why its answers cannot be kept, as far as the request tells. */
  readonly hindrance: Reason | undefined
  /** Equal for requests that have the same answer under this role, but for the caller's claims; the same in all processes. */
  readonly nameFor: (role: string) => string
  /** Of pages that are kept: the answer but for what each request is told of the cache. */
  readonly rendered: WeakMap<Page, Answer>
}

export function toKnownRead(execution: Execution, sources: ReadSources, catalogue: Catalogue): KnownRead {
  const { request, rawQuery, compiled, config, range } = execution
  const values = bind(compiled.statement, execution).params.map((value) => (typeof value === 'string' ? value : null))
  const names = new Map<string, string>()
  const nameFor = (role: string): string => {
    let name = names.get(role)
    if (name === undefined) {
      const { timezone } = request.preferences
      name = JSON.stringify([role, toShape(compiled, catalogue, role), timezone ?? null, ...values])
      names.set(role, name)
    }
    return name
  }
  const question = { request, rawQuery, compiled, config, range }
  const hindrance = sources.hindrance ?? findHindrance(question, catalogue, values)
  return { question, sources, hindrance, nameFor, rendered: new WeakMap() }
}

const shapes = new WeakMap<CompiledRequest, Map<string, string>>()

/** Everything but values, claims and time zone that the answer depends on. */
function toShape(compiled: CompiledRequest, { roleSettings }: Catalogue, role: string): string {
  const byRole = shapes.get(compiled) ?? new Map<string, string>()
  shapes.set(compiled, byRole)
  let shape = byRole.get(role)
  if (shape === undefined) {
    const { statement, output } = compiled
    const all = JSON.stringify([statement.text, statement.perRow, output, roleSettings.get(role) ?? []])
    byRole.set(role, (shape = createHash('sha256').update(all).digest('base64url')))
  }
  return shape
}

/** What makes an answer another one without a change of rows. */
function findHindrance(
  { config, compiled }: Question,
  { shardKeys }: Catalogue,
  values: readonly (string | null)[],
): Reason | undefined {
  if (shardKeys !== undefined) {
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

/** Reads whose answers are kept, by the text of their requests: who asks the same again is spared parsing and planning. */
export type KnownReads = {
  find(raw: IncomingMessage): KnownRead | undefined
  remember(raw: IncomingMessage, read: KnownRead): void
}

/** What is parsed and compiled of a request takes about so much, by the length of its text. */
const [readBytes, bytesPerUnit] = [4_000, 20]

/** For one catalogue. */
export function createKnownReads(bytesMax: number): KnownReads {
  const reads = new LRUCache<string, KnownRead>({
    maxSize: bytesMax,
    sizeCalculation: (_read, text) => readBytes + bytesPerUnit * text.length,
  })
  return {
    find: (raw) => (raw.method === 'GET' ? reads.get(toText(raw)) : undefined),
    remember: (raw, read) => void reads.set(toText(raw), read),
  }
}

/** Everything of a request that its plan and its answer depend on, but who asks. A header cannot have NUL. */
function toText({ url, headers }: IncomingMessage): string {
  const { accept = '\0', prefer = '\0', range = '\0', 'accept-profile': profile = '\0' } = headers
  return `${url}\n${accept}\n${String(prefer)}\n${range}\n${String(profile)}\n${headers['content-type'] ?? '\0'}`
}
