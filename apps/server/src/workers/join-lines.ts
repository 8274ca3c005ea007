/**
 * Gives the function that takes the pieces of a stream and passes them on cut at the ends of lines, so that lines of
 * several processes never run into each other; and the one that passes on what is left at the end.
 */
export function joinLines(write: (lines: string) => void): { push(piece: string): void; end(): void } {
  let rest = ''
  return {
    push(piece) {
      const at = piece.lastIndexOf('\n') + 1
      if (at === 0) {
        rest += piece
        return
      }
      write(rest + piece.slice(0, at))
      rest = piece.slice(at)
    },
    end() {
      if (rest !== '') write(`${rest}\n`)
      rest = ''
    },
  }
}
