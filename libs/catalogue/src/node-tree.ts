/**
 * Reads the text form of a `pg_node_tree` (`{QUERY :commandType 1 … :targetList ({TARGETENTRY …} …)}`), in which
 * Postgres keeps the query of a view. Only what is asked for is looked at: a node is cut into the texts of its fields
 * and a list into the texts of its items, so a tree is scanned once per level of depth that matters, and nothing is
 * built.
 *
 * The grammar, from what Postgres prints: `{TYPE :field value …}`, `(item …)`, `<>` for null, and tokens in which a
 * backslash takes the meaning from the character after it. A value has at least one token, so a token that starts with
 * a colon right after a field's name is a value (a column may be called `:a`).
 */
export type NodeText = string

/** The fields of a node by name, as texts. */
export function nodeFields(node: NodeText): ReadonlyMap<string, NodeText> {
  const fields = new Map<string, NodeText>()
  let name: string | undefined
  let valueStart = 0
  let valueEnd = 0
  for (const [start, end] of parts(node)) {
    const beginsField = node.charCodeAt(start) === colon && (name === undefined || valueEnd > valueStart)
    if (!beginsField) {
      if (valueEnd === valueStart) valueStart = start
      valueEnd = end
      continue
    }
    if (name !== undefined) fields.set(name, node.slice(valueStart, valueEnd))
    name = node.slice(start + 1, end)
    valueStart = valueEnd = end
  }
  if (name !== undefined) fields.set(name, node.slice(valueStart, valueEnd))
  return fields
}

/** The word after the opening brace, for example `VAR`. */
export function nodeType(node: NodeText): string {
  return /^\{(\w+)/.exec(node)?.[1] ?? ''
}

/** The items of a list; none for null. */
export function listItems(list: NodeText | undefined): NodeText[] {
  return list === undefined || !list.startsWith('(') ? [] : parts(list).map(([start, end]) => list.slice(start, end))
}

const colon = 58
const backslash = 92

/** Start and end of each token, node or list directly inside the outer brackets. */
function parts(text: string): [start: number, end: number][] {
  const found: [number, number][] = []
  let depth = 0
  let start = -1
  for (let at = 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    const isOpening = code === 123 || code === 40
    const isClosing = code === 125 || code === 41
    const isSpace = code === 32 || code === 10
    if (depth === 0 && start >= 0 && (isOpening || isClosing || isSpace)) {
      found.push([start, at])
      start = -1
    }
    if (isOpening && depth++ === 0) start = at
    if (isClosing && --depth === 0) {
      found.push([start, at + 1])
      start = -1
    }
    if (depth === 0 && start < 0 && !isOpening && !isClosing && !isSpace) start = at
    if (code === backslash) at++
  }
  return found
}
