/** One statement of an SQL file, without the semicolon and without blanks and comments before it. */
export type SqlStatement = {
  readonly text: string
  /** Where `text` begins in the file, in UTF-16 units. */
  readonly offset: number
}

/**
 * Splits a file where PostgreSQL itself would: at semicolons outside of strings, quoted names, dollar quotes, comments,
 * parentheses (`create rule … do (…; …)`) and SQL function bodies (`begin atomic … end`). Never fails: what is not
 * closed runs to the end of the file, and the server says what is wrong with it. The lines `\restrict` and
 * `\unrestrict` of dumps count as comments. Ours and not a parser, because it must take the syntax of any server
 * version and seeds of 100 MB.
 */
export function splitStatements(file: string): SqlStatement[] {
  const statements: SqlStatement[] = []
  let begin = -1
  let end = 0
  let body = newBody()
  const finish = (): void => {
    if (begin >= 0) statements.push({ text: file.slice(begin, end), offset: begin })
    begin = -1
    body = newBody()
  }
  for (let at = 0; at < file.length;) {
    const token = readToken(file, at, begin < 0)
    if (token.kind === 'symbol' && file[at] === ';' && body.parentheses <= 0 && body.depth === 0) finish()
    else if (token.kind !== 'blank') {
      if (begin < 0) begin = at
      end = token.end
      if (token.kind === 'word') followWord(body, file.slice(at, token.end).toLowerCase())
      else if (file[at] === '(') body.parentheses++
      else if (file[at] === ')') body.parentheses--
    }
    at = token.end
  }
  finish()
  return statements
}

/** Whether a file holds anything besides blanks, comments and semicolons; looks no further than needed. */
export function hasStatement(file: string): boolean {
  for (let at = 0; at < file.length;) {
    const token = readToken(file, at, true)
    if (token.kind !== 'blank' && file[at] !== ';') return true
    at = token.end
  }
  return false
}

type Token = { readonly kind: 'blank' | 'word' | 'quoted' | 'symbol'; readonly end: number }

const blank = /\s+|--[^\n\r]*/y
const restriction = /\\(?:un)?restrict\b[^\n]*/y
const word = /[\p{L}_\x80-\u{10ffff}][\p{L}\p{N}_$\x80-\u{10ffff}]*/uy
const number = /\d[\w.]*/y
const plainString = /'[^']*(?:'|$)/y
const quotedName = /"[^"]*(?:"|$)/y
const dollarTag = /\$(?:[A-Za-z_\x80-\u{10ffff}][\w\x80-\u{10ffff}]*)?\$/uy

function readToken(file: string, at: number, betweenStatements: boolean): Token {
  const ended = (pattern: RegExp): number => {
    pattern.lastIndex = at
    return pattern.test(file) ? pattern.lastIndex : 0
  }
  const blankEnd = ended(blank) || (file.startsWith('/*', at) ? endOfComment(file, at) : 0)
  if (blankEnd > 0) return { kind: 'blank', end: blankEnd }
  if (betweenStatements && file[at] === '\\') {
    const end = ended(restriction)
    if (end > 0) return { kind: 'blank', end }
  }
  // Before words: the E is part of the string.
  const quotedEnd =
    endOfEscapeString(file, at) ||
    ended(plainString) ||
    ended(quotedName) ||
    endOfDollarQuote(file, ended(dollarTag), at)
  if (quotedEnd > 0) return { kind: 'quoted', end: quotedEnd }
  const wordEnd = ended(word)
  if (wordEnd > 0) return { kind: 'word', end: wordEnd }
  return { kind: 'symbol', end: ended(number) || at + 1 }
}

/**
 * `e'…'`: a backslash hides the next character. 0 when there is none at `at`. A loop, because strings may be megabytes.
 */
function endOfEscapeString(file: string, at: number): number {
  if ((file[at] !== 'e' && file[at] !== 'E') || file[at + 1] !== "'") return 0
  const mark = /['\\]/g
  mark.lastIndex = at + 2
  for (let found = mark.exec(file); found !== null; found = mark.exec(file)) {
    if (found[0] === "'") return mark.lastIndex
    mark.lastIndex++
  }
  return file.length
}

/** Comments nest. */
function endOfComment(file: string, at: number): number {
  const mark = /\/\*|\*\//g
  mark.lastIndex = at
  let depth = 0
  for (let found = mark.exec(file); found !== null; found = mark.exec(file)) {
    depth += found[0] === '/*' ? 1 : -1
    if (depth === 0) return mark.lastIndex
  }
  return file.length
}

function endOfDollarQuote(file: string, tagEnd: number, at: number): number {
  if (tagEnd === 0) return 0
  const tag = file.slice(at, tagEnd)
  const close = file.indexOf(tag, tagEnd)
  return close < 0 ? file.length : close + tag.length
}

/**
 * Where in a statement we are: inside `begin atomic … end`, which only `create function` and `create procedure` have.
 */
type Body = { parentheses: number; depth: number; wordCount: number; previous: string; routine: boolean }

const newBody = (): Body => ({ parentheses: 0, depth: 0, wordCount: 0, previous: '', routine: false })

function followWord(body: Body, text: string): void {
  body.wordCount++
  if (body.wordCount <= 4 && (text === 'function' || text === 'procedure')) body.routine = true
  if (body.routine) {
    if (text === 'atomic' && body.previous === 'begin') body.depth = 1
    else if (body.depth > 0 && text === 'case') body.depth++
    else if (body.depth > 0 && text === 'end') body.depth--
  }
  body.previous = text
}

/**
 * The leading words of a statement, in lower case, comments left out: enough to tell what kind it is.
 * Quoted names and symbols end the list.
 */
export function leadingWords(statement: string, wordsMax = 12): string[] {
  const words: string[] = []
  for (let at = 0; at < statement.length && words.length < wordsMax;) {
    const token = readToken(statement, at, false)
    if (token.kind === 'word') words.push(statement.slice(at, token.end).toLowerCase())
    else if (token.kind !== 'blank') break
    at = token.end
  }
  return words
}
