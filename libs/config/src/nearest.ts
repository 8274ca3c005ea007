/** Levenshtein's distance: how many letters must change, come or go. */
function distance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= right.length; column += 1) {
      const substitution = previous[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1)
      current.push(Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1))
    }
    previous = current
  }
  return previous[right.length]!
}

/**
 * The name that was probably meant: the nearest one, if at most a third of the letters differ, or two of a short name.
 */
export function nearestName(wrong: string, names: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.floor(wrong.length / 3)) + 1
  for (const name of names) {
    const candidate = distance(wrong, name)
    if (candidate < bestDistance) [best, bestDistance] = [name, candidate]
  }
  return best
}
