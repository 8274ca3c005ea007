/** Deepest nesting that is accepted. */
const depthMax = 32

/**
 * `JSON.parse` that refuses an object with two members of one name, at any depth (RFC 8259 §4 leaves their meaning
 * open; two readers of one token could see two roles). Throws `SyntaxError`.
 */
export function parseUniqueJson(text: string): unknown {
  const value: unknown = JSON.parse(text)
  mustHaveUniqueMembers(text)
  return value
}

/**
 * Walks over text that is known to be JSON, from one structural letter or string to the next: a string before a colon
 * is a member's name. Names are compared decoded, so that `"a"` is `"\\u0061"`.
 */
function mustHaveUniqueMembers(text: string): void {
  const scopes: (Set<string> | null)[] = []
  const landmark = /[{}[\]]|"(?:[^"\\]|\\.)*"(\s*:)?/g
  for (let match = landmark.exec(text); match !== null; match = landmark.exec(text)) {
    const [found, colon] = match
    if (found === '{' || found === '[') scopes.push(found === '{' ? new Set() : null)
    else if (found === '}' || found === ']') scopes.pop()
    else if (colon !== undefined) addName(scopes.at(-1), found.slice(1, -colon.length - 1))
    if (scopes.length > depthMax) throw new SyntaxError(`nested deeper than ${depthMax}`)
  }
}

function addName(scope: Set<string> | null | undefined, raw: string): void {
  const name = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw
  if (scope?.has(name)) throw new SyntaxError(`the member "${raw}" appears twice`)
  scope?.add(name)
}
