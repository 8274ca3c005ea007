import type { PostgresErrorFields } from '../errors.ts'
import { excerptAt, offsetOfPosition, type Excerpt } from './excerpt.ts'
import type { SqlStatement } from './split-statements.ts'

/** An SQL file that a database gets; `name` is what people see. */
export type SqlFile = { readonly name: string; readonly text: string }

export type SqlFailure = {
  readonly file: SqlFile
  readonly statement: SqlStatement
  readonly fields: PostgresErrorFields
  /** How many statements of the file stay in force: 0 whenever the file ran in one transaction. */
  readonly statementsKept: number
  readonly cause?: unknown
}

/** A statement of an SQL file failed. `message` is one line; `report` shows the place, for a terminal. */
export class SqlFileError extends Error {
  readonly file: string
  readonly place: Excerpt
  readonly fields: PostgresErrorFields
  readonly statementsKept: number

  constructor({ file, statement, fields, statementsKept, cause }: SqlFailure) {
    const place = excerptAt(file.text, statement.offset + offsetInStatement(statement, fields))
    super(`${file.name}:${place.line}:${place.column}: ${fields.message} (${fields.code})`, { cause })
    this.name = 'SqlFileError'
    this.file = file.name
    this.place = place
    this.fields = fields
    this.statementsKept = statementsKept
  }

  /** File, line and column, the source with a caret, then what PostgreSQL said; lines joined by LF. */
  get report(): string {
    return renderSqlFailure(this)
  }
}

const offsetInStatement = ({ text }: SqlStatement, { position }: PostgresErrorFields): number =>
  position === undefined ? 0 : offsetOfPosition(text, position)

/** The report of an error as text without colours. */
export function renderSqlFailure(error: Pick<SqlFileError, 'file' | 'place' | 'fields' | 'statementsKept'>): string {
  const { place, fields } = error
  const number = String(place.line)
  const margin = ' '.repeat(number.length)
  return [
    `${error.file}:${place.line}:${place.column}`,
    `${number} | ${place.source}`,
    `${margin} | ${place.caret}`,
    `${fields.severity}: ${fields.message} (${fields.code})`,
    ...labelled('detail', fields.detail),
    ...labelled('hint', fields.hint),
    ...labelled('where', fields.where),
    ...labelled('constraint', fields.constraint),
    error.statementsKept === 0
      ? 'Nothing of this file was applied.'
      : `This file cannot run in one transaction: its first ${error.statementsKept} statements stay applied.`,
  ].join('\n')
}

const labelled = (label: string, text: string | undefined): string[] =>
  text === undefined ? [] : [`${label}: ${text}`]
