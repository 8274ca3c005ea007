import type { BodyScanner } from './body-shape.ts'
import { errors } from '../errors.ts'
import { isBlank } from './json-bytes.ts'

/**
 * Looks only at how a JSON body begins: an object, an array, an empty array or a scalar. For bodies whose keys nobody
 * needs, because `columns` gives them; Postgres then says whether the rest is JSON.
 */
export function createOutlineScanner(): BodyScanner {
  let first = 0
  let second = 0
  return {
    write(chunk) {
      for (let i = 0; second === 0 && i < chunk.length; i++) {
        const byte = chunk[i] ?? 0
        if (isBlank[byte] === 1) continue
        if (first === 0) first = byte
        else second = byte
      }
    },
    end() {
      if (first === 0) throw errors.body('Empty or invalid json')
      if (first === openObject) return { kind: 'json', isArray: false, isEmptyArray: false, keys: [] }
      if (first === openArray) return { kind: 'json', isArray: true, isEmptyArray: second === closeArray, keys: [] }
      return { kind: 'json', isArray: true, isEmptyArray: true, isScalar: true, keys: [] }
    },
  }
}

const openArray = 91
const closeArray = 93
const openObject = 123
