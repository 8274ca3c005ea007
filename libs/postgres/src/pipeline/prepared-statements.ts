import { LRUCache } from 'lru-cache'

/** A statement that was prepared, or whose Parse is on its way, on one connection. */
export type PreparedStatement = {
  readonly text: string
  readonly name: string
  /** Rises on one connection; names are never used twice, so a late failure cannot hit a newer statement. */
  readonly id: number
  /** Bind up to the number of parameters, its length still open: 'B', int32, portal "", name, no format codes. */
  readonly bindHead: Uint8Array
}

/** The bounded set of prepared statements of one connection, least recently used first out. */
export class PreparedStatements {
  readonly #byText: LRUCache<string, PreparedStatement>
  #lastId = 0
  /** Names to be closed in Postgres, to be sent where no error can skip them: first in the next exchange. */
  #toClose: string[] = []

  constructor(preparedMax: number) {
    this.#byText = new LRUCache({
      max: preparedMax,
      dispose: (statement) => this.#toClose.push(statement.name),
    })
  }

  get lastId(): number {
    return this.#lastId
  }

  find(text: string): PreparedStatement | undefined {
    return this.#byText.get(text)
  }

  add(text: string): PreparedStatement {
    const id = ++this.#lastId
    const name = `p${id.toString(36)}`
    const statement = { text, name, id, bindHead: toBindHead(name) }
    this.#byText.set(text, statement)
    return statement
  }

  /** Forgets what is known under a text if it is not newer than `id`; the next use prepares it again. */
  forget(text: string, id: number): void {
    const statement = this.#byText.peek(text)
    if (statement !== undefined && statement.id <= id) this.#byText.delete(text)
  }

  /** Forgets all that is not newer than `id`. */
  forgetAll(id: number): void {
    const texts = Array.from(this.#byText.keys())
    for (const text of texts) this.forget(text, id)
  }

  takeToClose(): readonly string[] {
    const names = this.#toClose
    if (names.length > 0) this.#toClose = []
    return names
  }
}

/** The unnamed statement, whatever its text: prepared anew each time, for servers that do not keep sessions. */
export const unnamedStatement: PreparedStatement = { text: '', name: '', id: 0, bindHead: toBindHead('') }

function toBindHead(name: string): Uint8Array {
  return Buffer.from(`B\0\0\0\0\0${name}\0\0\0`, 'latin1')
}
