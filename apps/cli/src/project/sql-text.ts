/**
 * Whether SQL text holds nothing to run: blanks, `;` and comments only. `pando migrate new` makes such a file, and `dev`
 * waits until there is something in it.
 */
export function isBlankSql(sql: string): boolean {
  let at = 0
  while (at < sql.length) {
    if (/[\s;\uFEFF]/.test(sql[at] ?? '')) at += 1
    else if (sql.startsWith('--', at)) at = endOfLine(sql, at)
    else if (sql.startsWith('/*', at)) at = endOfBlockComment(sql, at)
    else return false
  }
  return true
}

function endOfLine(sql: string, from: number): number {
  const end = sql.indexOf('\n', from)
  return end === -1 ? sql.length : end + 1
}

/** Block comments nest in PostgreSQL. One that never ends is left to the server to complain about. */
function endOfBlockComment(sql: string, from: number): number {
  let depth = 0
  for (const mark of sql.slice(from).matchAll(/\/\*|\*\//g)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return from + mark.index + 2
  }
  return sql.length
}
