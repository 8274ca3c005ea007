import type { JsonText } from './csv-body.ts'
import type { BodySource } from './read-body.ts'
import { errors } from '../errors.ts'

/** Bytes of a form; it is read whole. */
const formBytesMax = 1_048_576

/** Different names of a form: as many as a table of Postgres can have columns. */
const formNamesMax = 1_600

/**
 * Turns `application/x-www-form-urlencoded` into the text of one JSON object whose values are strings. Of a row a name
 * that repeats counts once, the last time; of a call (`repeats: 'array'`) it is the array of its values, for a variadic
 * parameter.
 */
export async function formToJson(source: BodySource, repeats: 'last' | 'array'): Promise<JsonText> {
  const form = new URLSearchParams(await readText(source))
  const values = new Map<string, string | string[]>()
  for (const [name, value] of form) {
    const before = repeats === 'array' ? values.get(name) : undefined
    if (Array.isArray(before)) before.push(value)
    else values.set(name, before === undefined ? value : [before, value])
    if (values.size > formNamesMax) throw errors.body(`The form has more than ${formNamesMax} names (formNamesMax)`)
  }
  const members = Array.from(values, ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  return { keys: [...values.keys()], isEmpty: false, chunks: [Buffer.from(`{${members.join(',')}}`)] }
}

async function readText(source: BodySource): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  await source((chunk) => {
    bytes += chunk.length
    if (bytes > formBytesMax) throw errors.body(`The form is larger than ${formBytesMax} bytes (formBytesMax)`)
    chunks.push(chunk)
  })
  return Buffer.concat(chunks).toString('utf8')
}
