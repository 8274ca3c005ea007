import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { errors } from '../errors.ts'

/** Bytes of one line of a CSV body. */
const csvLineBytesMax = 1_048_576

/** As many columns as a table of Postgres can have. */
const csvColumnsMax = 1_600

/** Characters of JSON that are gathered before they become a chunk. */
const chunkLength = 65_536

/**
 * Lines that are worked on before others get their turn, and bytes that are parsed at once: a few milliseconds at
 * worst.
 */
const linesPerTurn = 1_000
const bytesPerTurn = 8_192

/** A body turned into JSON text. */
export type JsonText = { readonly keys: readonly string[]; readonly isEmpty: boolean; readonly chunks: Uint8Array[] }

/**
 * Turns CSV (RFC 4180, first line = names of the columns) into the text of a JSON array of objects, line by line. All
 * values are strings, the word NULL is null. Refuses with PGRST102 malformed CSV and lines of unequal length.
 */
export async function csvToJson(body: readonly Uint8Array[]): Promise<JsonText> {
  const lines = parseLines(body)
  const chunks: Uint8Array[] = []
  let names: readonly string[] | undefined
  let text = ''
  let rows = 0
  for await (const line of lines) {
    if (names === undefined) {
      if (line.length > csvColumnsMax) {
        throw errors.body(`The csv has more than ${csvColumnsMax} columns (csvColumnsMax)`)
      }
      names = line
      continue
    }
    text += (rows++ === 0 ? '[' : ',') + toObjectText(names, line)
    if (rows % linesPerTurn === 0) await setImmediate()
    if (text.length < chunkLength) continue
    chunks.push(Buffer.from(text))
    text = ''
  }
  if (names === undefined) throw errors.body('Empty or invalid csv')
  chunks.push(Buffer.from(rows === 0 ? '[]' : `${text}]`))
  return { keys: rows === 0 ? [] : [...new Set(names)], isEmpty: rows === 0, chunks }
}

async function* parseLines(body: readonly Uint8Array[]): AsyncGenerator<readonly string[]> {
  const { CsvError, parse } = await import('csv-parse')
  const parser = parse({
    bom: true,
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: csvLineBytesMax,
  })
  const input = Readable.from(cut(body))
  input.on('error', (error) => parser.destroy(error))
  try {
    for await (const line of input.pipe(parser)) yield line as readonly string[]
  } catch (error) {
    throw error instanceof CsvError ? errors.body(`Invalid csv: ${error.message}`) : error
  } finally {
    input.destroy()
  }
}

function* cut(body: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const chunk of body) {
    for (let at = 0; at < chunk.length; at += bytesPerTurn) yield chunk.subarray(at, at + bytesPerTurn)
  }
}

function toObjectText(names: readonly string[], line: readonly string[]): string {
  if (line.length !== names.length) throw errors.body('All lines must have same number of fields')
  let text = '{'
  for (const [i, name] of names.entries()) {
    const value = line[i] === 'NULL' ? 'null' : JSON.stringify(line[i])
    text += `${i === 0 ? '' : ','}${JSON.stringify(name)}:${value}`
  }
  return `${text}}`
}
