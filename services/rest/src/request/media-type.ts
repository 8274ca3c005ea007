import type { MediaType } from './api-request.ts'

const noParameters: MediaType['parameters'] = Object.freeze({})
const json: MediaType = Object.freeze({ essence: 'application/json', parameters: noParameters })
const anything: readonly MediaType[] = Object.freeze([])
const justJson: readonly MediaType[] = Object.freeze([json])

/** `application/json` when there is no header. */
export function parseContentType(header: string | undefined): MediaType {
  if (header === undefined || header === 'application/json') return json
  return parseMediaType(header)
}

/**
 * `Accept`, best first: by `q`, then by how special the type is (more parameters, fewer `*`), then as written. Types
 * with `q=0` are left out. An absent header accepts anything: the empty list. (RFC 9110 §12.5.1.)
 */
export function parseAccept(header: string | undefined): readonly MediaType[] {
  if (header === undefined || header === '' || header === '*/*') return anything
  if (header === 'application/json') return justJson
  return splitOutsideQuotes(header, ',')
    .map((text) => weigh(text))
    .filter(({ quality }) => quality > 0)
    .sort((one, other) => other.quality - one.quality || other.special - one.special)
    .map(({ type }) => type)
}

function weigh(text: string): { type: MediaType; quality: number; special: number } {
  const { essence, parameters } = readMediaType(text)
  const { q, ...others } = parameters
  const quality = q === undefined ? 1 : Number(q)
  const special = Object.keys(others).length - essence.split('*').length
  return { type: canonical({ essence, parameters: others }), quality: Number.isNaN(quality) ? 1 : quality, special }
}

/** One media type in the spelling that the rest of this service compares with, see `canonical`. */
export function parseMediaType(text: string): MediaType {
  return canonical(readMediaType(text))
}

function readMediaType(text: string): MediaType {
  const [essence = '', ...rest] = splitOutsideQuotes(text, ';')
  const parameters: Record<string, string> = Object.create(null)
  for (const piece of rest) {
    const equals = piece.indexOf('=')
    const name = piece.slice(0, equals).trim().toLowerCase()
    if (equals > 0 && name !== '') parameters[name] ??= unquoted(piece.slice(equals + 1).trim()).toLowerCase()
  }
  return { essence: essence.trim().toLowerCase(), parameters }
}

const suffixed: Readonly<Record<string, string>> = {
  'application/vnd.pgrst.object': 'application/vnd.pgrst.object+json',
  'application/vnd.pgrst.array': 'application/vnd.pgrst.array+json',
  'application/vnd.pgrst.plan': 'application/vnd.pgrst.plan+text',
}

/**
 * `application/vnd.pgrst.…` always with its suffix; an array whose nulls are not stripped is plain `application/json`;
 * a plan always says what it is for. Other types keep only their essence, as none of their parameters changes the
 * answer.
 */
function canonical({ essence, parameters }: MediaType): MediaType {
  const full = Object.hasOwn(suffixed, essence) ? (suffixed[essence] ?? essence) : essence
  if (full.startsWith('application/vnd.pgrst.plan+')) return canonicalPlan(full, parameters)
  const strips = parameters.nulls === 'stripped'
  if (full === 'application/vnd.pgrst.array+json') {
    return strips ? { essence: full, parameters: { nulls: 'stripped' } } : json
  }
  if (full !== 'application/vnd.pgrst.object+json') return { essence: full, parameters: noParameters }
  return { essence: full, parameters: strips ? { nulls: 'stripped' } : noParameters }
}

function canonicalPlan(essence: string, parameters: MediaType['parameters']): MediaType {
  const target = parameters.for ?? 'application/json'
  const options = parameters.options
  return { essence, parameters: options === undefined ? { for: target } : { for: target, options } }
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text
  const end = text.indexOf('"', 1)
  return end === -1 ? text.slice(1) : text.slice(1, end)
}

function splitOutsideQuotes(text: string, separator: ',' | ';'): string[] {
  if (!text.includes('"')) return text.split(separator)
  const pieces: string[] = []
  let isQuoted = false
  let start = 0
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') isQuoted = !isQuoted
    if (isQuoted || text[i] !== separator) continue
    pieces.push(text.slice(start, i))
    start = i + 1
  }
  pieces.push(text.slice(start))
  return pieces
}
