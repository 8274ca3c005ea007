import type { JsonText } from './csv-body.ts'
import type { BodySource } from './read-body.ts'
import { errors } from '../errors.ts'

/** Bytes of a form; it is read whole. */
const formBytesMax = 1_048_576

/**
 * Turns `application/x-www-form-urlencoded` into the text of one JSON object whose values are strings. Of a row a name
 * that repeats counts once, the last time; of a call (`repeats: 'array'`) it is the array of its values, for a variadic
 * parameter.
 */
export async function formToJson(source: BodySource, repeats: 'last' | 'array'): Promise<JsonText> {
  const form = new URLSearchParams(await readText(source))
  const values = new Map<string, string | string[]>()
  for (const name of new Set(form.keys())) values.set(name, pick(form.getAll(name), repeats))
  const members = Array.from(values, ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  return { keys: [...values.keys()], isEmpty: false, chunks: [Buffer.from(`{${members.join(',')}}`)] }
}

function pick(all: string[], repeats: 'last' | 'array'): string | string[] {
  return repeats === 'array' && all.length > 1 ? all : (all.at(-1) ?? '')
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
