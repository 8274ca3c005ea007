/**
 * A test for SQL's LIKE (manual, 9.7.1): `%` any text, `_` one character, `\` takes the next one as it is. Undefined for
 * a pattern that ends with a lone `\`, which Postgres refuses only when it gets there.
 */
export function createLikeTest(pattern: string): ((text: string) => boolean) | undefined {
  const parts = toParts(pattern)
  if (parts === undefined) return undefined
  return (text) => matches(parts, Array.from(text))
}

type Part = { readonly kind: 'any' } | { readonly kind: 'one' } | { readonly kind: 'is'; readonly character: string }

function toParts(pattern: string): readonly Part[] | undefined {
  const characters = Array.from(pattern)
  const parts: Part[] = []
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at]!
    if (character === '%') parts.push({ kind: 'any' })
    else if (character === '_') parts.push({ kind: 'one' })
    else if (character !== '\\') parts.push({ kind: 'is', character })
    else {
      at += 1
      if (at === characters.length) return undefined
      parts.push({ kind: 'is', character: characters[at]! })
    }
  }
  return parts
}

/** Goes back to the last `%` only: steps are at most the product of both lengths. */
function matches(parts: readonly Part[], text: readonly string[]): boolean {
  let part = 0
  let at = 0
  let retryPart = -1
  let retryAt = 0
  while (at < text.length) {
    const expected = parts[part]
    if (expected?.kind === 'any') {
      retryPart = part += 1
      retryAt = at
    } else if (expected?.kind === 'one' || (expected?.kind === 'is' && expected.character === text[at])) {
      part += 1
      at += 1
    } else if (retryPart >= 0) {
      part = retryPart
      at = retryAt += 1
    } else return false
  }
  return parts.slice(part).every(({ kind }) => kind === 'any')
}
