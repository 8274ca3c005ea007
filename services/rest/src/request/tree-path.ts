import type { EmbedPath, FieldRef } from './query.ts'
import type { Cursor } from './cursor.ts'
import { accept, atEnd, code, createCursor, unexpectedTail } from './cursor.ts'
import { isNameUnit, noSteps, readName, readSteps } from './names.ts'

const noPath: EmbedPath = Object.freeze([])

/** The key of a parameter: embeds, then the column or the word that says what the parameter is. */
type TreePath = { readonly path: EmbedPath; readonly field: FieldRef }

/** `embed.other.column->>key`; nearly every key is one plain name. */
export function readTreePath(key: string): TreePath {
  if (isPlainName(key)) return { path: noPath, field: { name: key, path: noSteps } }
  const cursor = createCursor(key, 'tree path')
  const names = readDottedNames(cursor)
  const path = readSteps(cursor)
  if (!atEnd(cursor)) unexpectedTail(cursor, ['end of input'])
  const name = names.pop() ?? ''
  return { path: names, field: { name, path } }
}

/** `embed.not.or`: the embeds in front, and the tree's operator as a logic tree has it inside. */
export function readLogicPath(key: string): { path: EmbedPath; operator: string } {
  if (key === 'and' || key === 'or') return { path: noPath, operator: key }
  const cursor = createCursor(key, 'logic path')
  const names = readDottedNames(cursor)
  if (!atEnd(cursor)) unexpectedTail(cursor, ['delimiter (.)', 'end of input'])
  const word = names.pop() ?? ''
  const path = names.filter((name) => name !== 'not')
  return { path, operator: path.length === names.length ? word : `not.${word}` }
}

function readDottedNames(cursor: Cursor): string[] {
  const names: string[] = []
  do names.push(readName(cursor))
  while (accept(cursor, code.dot))
  return names
}

function isPlainName(key: string): boolean {
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i)
    if (!isNameUnit(unit) || unit === code.space) return false
  }
  return key.length > 0
}
