/**
 * A place in a text, for people: both count from 1, the column in characters (code points) as PostgreSQL counts them.
 */
export type Place = { readonly line: number; readonly column: number }

export type Excerpt = Place & {
  /** The line (or, of a long one, the part around the place, with `…` where it was cut). */
  readonly source: string
  /** Blanks and a `^` that stands below the place when printed under `source`. */
  readonly caret: string
}

const columnsMax = 120
const columnsBefore = 60

/**
 * The line around `offset` (in UTF-16 units; beyond the end means the end) and a caret for it. Tabs stay tabs, so the
 * caret stands right at every tab width; wide characters count as two cells. CRLF, LF and CR end a line.
 */
export function excerptAt(text: string, offset: number): Excerpt {
  const at = Math.max(0, Math.min(offset, text.length))
  const before = text.slice(0, at)
  const lines = before.split(/\r\n|\n|\r/)
  // Between CR and LF: still on the line they end.
  const insideLineEnd = before.endsWith('\r') && text[at] === '\n'
  const head = insideLineEnd ? (lines.at(-2) ?? '') : (lines.at(-1) ?? '')
  const start = insideLineEnd ? at - 1 - head.length : at - head.length
  const tail = /^[^\r\n]*/.exec(text.slice(start + head.length))?.[0] ?? ''
  return {
    line: lines.length - (insideLineEnd ? 1 : 0),
    column: [...head].length + 1,
    ...cut(segment(head), segment(tail)),
  }
}

const segmenter = new Intl.Segmenter()
const segment = (text: string): string[] => Array.from(segmenter.segment(text), ({ segment }) => segment)

function cut(head: readonly string[], tail: readonly string[]): { source: string; caret: string } {
  const from = head.length + tail.length <= columnsMax ? 0 : Math.max(0, head.length - columnsBefore)
  const shownHead = (from > 0 ? ['…'] : []).concat(head.slice(from))
  const room = columnsMax - shownHead.length
  const shownTail = tail.length > room ? tail.slice(0, room).concat('…') : tail
  return {
    source: [...shownHead, ...shownTail].join(''),
    caret: `${shownHead.map((character) => (character === '\t' ? '\t' : ' '.repeat(cells(character)))).join('')}^`,
  }
}

/** East Asian wide and full-width characters and emoji take two cells of a terminal. */
const wide =
  /^(?:\p{Emoji_Presentation}|.\u{fe0f}|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}])/u
const invisible = /^[\p{Cc}\p{Cf}\p{Mn}]+$/u

function cells(character: string): number {
  if (invisible.test(character)) return 0
  return wide.test(character) ? 2 : 1
}

/** The UTF-16 offset of the character that PostgreSQL calls `position` (1-based, in code points) in `text`. */
export function offsetOfPosition(text: string, position: number): number {
  let offset = 0
  for (let left = position - 1; left > 0 && offset < text.length; left--) {
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1
  }
  return offset
}
