import type { StatementResult } from '../exchange.ts'

export type Rows = (Buffer | null)[][]

/** Rows of one statement; the command tag stays bytes until somebody asks. */
export class Result implements StatementResult {
  readonly rows: Rows
  readonly #bytes: Buffer
  readonly #tagStart: number
  readonly #tagEnd: number

  constructor(rows: Rows, bytes: Buffer, tagStart: number, tagEnd: number) {
    this.rows = rows
    this.#bytes = bytes
    this.#tagStart = tagStart
    this.#tagEnd = tagEnd
  }

  get tag(): string {
    return this.#bytes.toString('latin1', this.#tagStart, this.#tagEnd)
  }
}
