import { setTimeout as sleep } from 'node:timers/promises'
import type { Pool } from 'undici'
import { expectChange } from './change-oracle.ts'
import type { Caller, Data } from './policy-model.ts'
import type { World } from './policy-oracle.ts'
import { expectRead } from './read-oracle.ts'
import type { Ask, Expected } from './request-model.ts'
import { type WireRequest, writeRequest } from './write-request.ts'

/** What came back over the wire. */
export type Answer = { readonly status: number; readonly range: string | undefined; readonly body: string }

/** An answer that is not what the oracle says. */
export type Leak = {
  readonly schema: string
  readonly caller: string
  readonly request: WireRequest
  readonly expected: Expected | Answer
  readonly answer: Answer
}

/** Someone who asks, with the headers that say so. */
export type Known = { readonly caller: Caller; readonly headers: Readonly<Record<string, string>> }

/** How often a request is sent that the node had no connection or no place for: that is no answer about rows. */
const triesMax = 30
const pauseMs = 1_000

export async function send(pool: Pool, request: WireRequest, headers: Known['headers']): Promise<Answer> {
  for (let tries = 1; ; tries += 1) {
    const answer = await sendOnce(pool, request, headers)
    if (tries === triesMax || !/"PGRST00[03]"|"gateway\.overloaded"/.test(answer.body)) return answer
    await sleep(pauseMs)
  }
}

async function sendOnce(pool: Pool, request: WireRequest, headers: Known['headers']): Promise<Answer> {
  const { method, path, body } = request
  const answer = await pool.request({
    method: method as 'GET',
    path: encodeURI(path),
    headers: { ...request.headers, ...headers },
    body: body ?? null,
  })
  return {
    status: answer.statusCode,
    range: answer.headers['content-range']?.toString(),
    body: await answer.body.text(),
  }
}

/** `world` is that of the caller. */
type Asked = { readonly world: World; readonly ask: Ask; readonly known: Known }

/** What was found: a leak or none, whether rows were shown, and the rows of the database as they are afterwards. */
export type Checked = { readonly leak?: Leak; readonly seen: 'rows' | 'nothing' | 'denied'; readonly data: Data }

/** Asks, and compares with the oracle. */
export async function check(pool: Pool, { world, ask, known }: Asked): Promise<Checked> {
  const { caller, headers } = known
  const { schema, data } = world
  const reader = { world, role: caller.role }
  const outcome = ask.kind === 'read' ? { expected: expectRead(reader, ask.read), data } : expectChange(reader, ask)
  const request = writeRequest(ask, schema.name)
  const answer = await send(pool, request, headers)
  const { expected } = outcome
  const keeps = ask.kind === 'change' && ask.keeps && answer.status < 300
  const checked = { seen: seenIn(expected), data: keeps ? outcome.data : data }
  if (isAsExpected(ask, caller, { expected, answer })) return checked
  return { ...checked, leak: { schema: schema.name, caller: caller.name, request, expected, answer } }
}

function seenIn(expected: Expected): Checked['seen'] {
  if (expected.kind === 'denied') return 'denied'
  return expected.kind === 'rows' && expected.rows.length > 0 ? 'rows' : 'nothing'
}

type Twins = { readonly request: WireRequest; readonly known: Known; readonly ordered: boolean }

/** Asks the same of a schema and of its twin, which differ only in rows that the caller may not read. */
export async function compareTwins(pool: Pool, { request, known, ordered }: Twins): Promise<Leak | undefined> {
  const name = request.headers['accept-profile']!
  const headers = { ...request.headers, 'accept-profile': name.replace(/a$/, 'b') }
  const [answer, twin] = await Promise.all([
    send(pool, request, known.headers),
    send(pool, { ...request, headers }, known.headers),
  ])
  const other = { ...twin, body: twin.body.replaceAll(headers['accept-profile'], name) }
  const isSame = answer.status === other.status && answer.range === other.range && isSameBody(answer, other, ordered)
  return isSame ? undefined : { schema: name, caller: known.caller.name, request, expected: other, answer }
}

/** Byte for byte, but for the order of rows where none was asked for; an error may tell of any of them. */
function isSameBody(one: Answer, other: Answer, ordered: boolean): boolean {
  if (one.body === other.body) return true
  if (one.status >= 400) return codeOf(one.body) === codeOf(other.body) && one.body.includes('22P02')
  if (ordered) return false
  const lines = (text: string): string => text.split('\n').sort().join('\n')
  return one.body.startsWith('[')
    ? canonical(JSON.parse(one.body), false) === canonical(JSON.parse(other.body), false)
    : lines(one.body) === lines(other.body)
}

const codeOf = (body: string): unknown => (JSON.parse(body) as { code: unknown }).code

type Compared = { readonly expected: Expected; readonly answer: Answer }

function isAsExpected(ask: Ask, caller: Caller, { expected, answer }: Compared): boolean {
  const { status, range, body } = answer
  const isDenied = status === (caller.role === 'anon' ? 401 : 403) && body.includes('"code":"42501"')
  switch (expected.kind) {
    case 'denied':
      return isDenied
    case 'referenced':
      return (expected.orDenied && isDenied) || (status === 409 && body.includes('"code":"23503"'))
    case 'done':
      return status < 300 && body === '' && totalOf(range) === expected.affected
    case 'rows':
      return (expected.orDenied && isDenied) || hasRows(ask, expected, answer)
  }
}

function hasRows(
  ask: Ask,
  { rows, total }: Extract<Expected, { kind: 'rows' }>,
  { status, range, body }: Answer,
): boolean {
  const isCounted = ask.kind === 'change' || ask.counted
  if (status === 416) return ask.kind === 'read' && isCounted && (ask.read.offset ?? 0) > total
  if (status >= 300 || (isCounted && totalOf(range) !== total)) return false
  const ordered = ask.kind === 'read' && ask.ordered
  return canonical(JSON.parse(body), ordered) === canonical(rows, ordered)
}

const totalOf = (range: string | undefined): number => Number(range?.slice(range.indexOf('/') + 1))

/** One text for what means the same: keys sorted and, where no order was asked for, arrays too. */
export function canonical(value: unknown, ordered: boolean): string {
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item, ordered))
    return `[${(ordered ? items : items.sort()).join()}]`
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const entries = Object.entries(value).map(([name, item]) => `${JSON.stringify(name)}:${canonical(item, ordered)}`)
  return `{${entries.sort().join()}}`
}
