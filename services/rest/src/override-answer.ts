import type { Answer } from './answer.ts'
import { errors } from './errors.ts'

/**
 * Lays what a function set in `response.status` and `response.headers` over an answer (PostgREST v14, "Response
 * Headers" and "Response Status Code").
 *
 * @throws PGRST111 or PGRST112 when they are not what they should be
 */
export function overrideAnswer(answer: Answer, set: { readonly status?: string; readonly headers?: string }): Answer {
  if (set.status === undefined && set.headers === undefined) return answer
  return {
    ...answer,
    status: set.status === undefined ? answer.status : parseStatus(set.status),
    headers: set.headers === undefined ? answer.headers : mergeHeaders(answer.headers, parseHeaders(set.headers)),
  }
}

function parseStatus(text: string): number {
  const status = Number(text)
  if (!/^\d+$/.test(text) || status < 100 || status > 599) throw errors.responseStatus()
  return status
}

function parseHeaders(json: string): readonly (readonly [name: string, value: string])[] {
  const list = parseJson(json)
  if (!Array.isArray(list)) throw errors.responseHeaders()
  return list.map((item: unknown) => {
    const entries = typeof item === 'object' && item !== null ? Object.entries(item) : []
    const [name, value] = entries[0] ?? []
    if (entries.length !== 1 || name === undefined || typeof value !== 'string') throw errors.responseHeaders()
    if (!/^[!#$%&'*+.^_`|~\w-]+$/.test(name) || /[\r\n\0]/.test(value)) throw errors.responseHeaders()
    return [name, value] as const
  })
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw errors.responseHeaders()
  }
}

/** A header that the function set replaces ours; one that it set several times stays so. */
function mergeHeaders(own: Answer['headers'], set: ReturnType<typeof parseHeaders>): Answer['headers'] {
  const names = new Set(set.map(([name]) => name.toLowerCase()))
  const merged: Answer['headers'] = Object.fromEntries(
    Object.entries(own).filter(([name]) => !names.has(name.toLowerCase())),
  )
  for (const [name, value] of set) {
    const before = merged[name]
    merged[name] = before === undefined ? value : [...[before].flat(), value]
  }
  return merged
}
