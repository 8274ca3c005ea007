import type { BodyShape, MediaType } from './api-request.ts'
import type { BodyLimits, BodyScanner } from './body-shape.ts'
import type { JsonText } from './csv-body.ts'
import { errors } from '../errors.ts'
import { createBodyScanner } from './body-shape.ts'
import { csvToJson } from './csv-body.ts'
import { formToJson } from './form-body.ts'
import { createOutlineScanner } from './body-outline.ts'

export type BodyOptions = {
  readonly contentType: MediaType
  readonly isRoutine: boolean
  /** `columns` says which keys count: then the objects are not looked into. */
  readonly hasColumns: boolean
  readonly limits?: BodyLimits
}

/** Gives the chunks of a body to `take` as they arrive; resolves at the end, rejects with what `take` throws. */
export type BodySource = (take: (chunk: Uint8Array) => void) => Promise<void>

/** What a statement needs: the shape to plan with, and the bytes of its body parameter in order. */
export type ReadBody = { readonly shape: BodyShape; readonly chunks: readonly Uint8Array[] }

const rawTypes: ReadonlySet<string> = new Set(['text/plain', 'text/xml', 'application/octet-stream'])

/**
 * Reads a body once, chunk by chunk. JSON passes as it came; CSV and forms become JSON text. An empty body of a call is
 * `{}`; a bare scalar for a relation is `[]`. Refuses with PGRST102 what is malformed and types that are not taken.
 */
export async function readBody(source: BodySource, options: BodyOptions): Promise<ReadBody> {
  const { essence } = options.contentType
  if (essence === 'application/json') return readJson(source, options)
  if (essence === 'text/csv') return fromText(await csvToJson(await gather(source)), true)
  if (essence === 'application/x-www-form-urlencoded') {
    return fromText(await formToJson(source, options.isRoutine ? 'array' : 'last'), false)
  }
  if (!options.isRoutine || !rawTypes.has(essence)) throw errors.body(`Content-Type not acceptable: ${essence}`)
  return { shape: { kind: 'raw' }, chunks: await gather(source) }
}

async function readJson(source: BodySource, options: BodyOptions): Promise<ReadBody> {
  const scanner = options.hasColumns ? createOutlineScanner() : createBodyScanner(options.limits)
  const chunks = await gather(source, scanner)
  if (chunks.length === 0 && options.isRoutine) return emptyObject
  const shape = scanner.end()
  return shape.isScalar && !options.isRoutine ? emptyArray : { shape, chunks }
}

const emptyObject: ReadBody = {
  shape: { kind: 'json', isArray: false, isEmptyArray: false, keys: [] },
  chunks: [Buffer.from('{}')],
}
const emptyArray: ReadBody = {
  shape: { kind: 'json', isArray: true, isEmptyArray: true, keys: [] },
  chunks: [Buffer.from('[]')],
}

function fromText(text: JsonText, isArray: boolean): ReadBody {
  const { keys, isEmpty, chunks } = text
  return { shape: { kind: 'json', isArray, isEmptyArray: isArray && isEmpty, keys }, chunks }
}

async function gather(source: BodySource, scanner?: BodyScanner): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  await source((chunk) => {
    if (chunk.length === 0) return
    scanner?.write(chunk)
    chunks.push(chunk)
  })
  return chunks
}
