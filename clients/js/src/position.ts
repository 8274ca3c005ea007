/**
 * How far one channel has read the log of its server. Places are the server's cursors: the order of the texts is the order
 * of the log, and the empty text is before all. Rows and messages are two streams, each in order; between them there is
 * none, because policies are asked about rows.
 */
export type Position = {
  /** Where to go on after the connection was lost: all that came before has arrived. Empty when that is not known. */
  from(): string
  /** Those of the bindings, by their places in the join, that have not got this change yet. */
  takeChange(cursor: string, bindings: readonly number[]): readonly number[]
  /** Whether it has not come before. */
  takeMessage(cursor: string): boolean
  /** Nothing from before this place is on its way. */
  advance(cursor: string): void
  moveTo(cursor: string): void
}

export function createPosition(): Position {
  /** Of the change at `at` only the bindings in `seen` have got it: the connection may break between two of them. */
  let rows = { complete: '', at: '', seen: new Set<number>() }
  let messages = ''

  const moveTo = (cursor: string): void => {
    rows = { complete: cursor, at: cursor, seen: new Set() }
    messages = cursor
  }
  return {
    from: () => (rows.complete < messages ? rows.complete : messages),
    takeChange: (cursor, bindings) => {
      if (cursor > rows.at) rows = { complete: rows.at, at: cursor, seen: new Set() }
      else if (cursor < rows.at || cursor === rows.complete) return []
      const unseen = bindings.filter((binding) => !rows.seen.has(binding))
      for (const binding of unseen) rows.seen.add(binding)
      return unseen
    },
    takeMessage: (cursor) => {
      if (cursor <= messages) return false
      messages = cursor
      return true
    },
    advance: (cursor) => {
      if (cursor >= rows.at && cursor >= messages) moveTo(cursor)
    },
    moveTo,
  }
}
