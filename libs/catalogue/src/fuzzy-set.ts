/** Finds the member of a set that is most like a given text. */
export type FuzzySet = {
  /** The best member with at least this similarity (0 to 1), and the similarity; 1 means equal but for case. */
  find(text: string, similarityMin: number): { readonly member: string; readonly similarity: number } | undefined
}

/** Candidates of which the exact distance is computed. */
const candidatesMax = 50

/** Sizes of the letter groups by which candidates are looked up, tried in this order. */
const gramSizes = [3, 2]

/**
 * Candidates are those that share most groups of three letters with the text (or of two, if none qualifies so), ranked
 * by the cosine of the counts; the best of them by edit distance wins. Cost grows with the members that share a group.
 */
export function createFuzzySet(members: Iterable<string>): FuzzySet {
  const entries = [...new Set(members)].map(toEntry)
  const exact = new Map(entries.map((entry) => [entry.lower, entry.member]))
  const indexes = gramSizes.map((size) => indexByGram(entries, size))
  return {
    find(text, similarityMin) {
      const { lower } = toEntry(text)
      const equal = exact.get(lower)
      if (equal !== undefined) return { member: equal, similarity: 1 }
      for (const index of indexes) {
        const best = closest(lower, candidates(lower, index))
        if (best !== undefined && best.similarity >= similarityMin) return best
      }
      return undefined
    },
  }
}

type Entry = { readonly member: string; readonly lower: string }

const toEntry = (member: string): Entry => ({ member, lower: member.toLowerCase() })

type Index = {
  readonly size: number
  readonly byGram: ReadonlyMap<string, readonly (readonly [entry: Entry, count: number])[]>
  readonly lengths: ReadonlyMap<Entry, number>
}

function indexByGram(entries: readonly Entry[], size: number): Index {
  const byGram = new Map<string, [Entry, number][]>()
  const lengths = new Map<Entry, number>()
  for (const entry of entries) {
    const counts = countGrams(entry.lower, size)
    lengths.set(entry, vectorLength(counts))
    for (const [gram, count] of counts) {
      const holders = byGram.get(gram)
      if (holders === undefined) byGram.set(gram, [[entry, count]])
      else holders.push([entry, count])
    }
  }
  return { size, byGram, lengths }
}

/** How often each group of letters occurs; punctuation does not count, the ends do. */
function countGrams(text: string, size: number): Map<string, number> {
  const counts = new Map<string, number>()
  const marked = `-${text.replaceAll(/[^\p{L}\p{N}, ]/gu, '')}-`.padEnd(size, '-')
  for (let at = 0; at + size <= marked.length; at++) {
    const gram = marked.slice(at, at + size)
    counts.set(gram, (counts.get(gram) ?? 0) + 1)
  }
  return counts
}

const vectorLength = (counts: ReadonlyMap<string, number>): number => Math.hypot(...counts.values())

function candidates(text: string, { size, byGram, lengths }: Index): Entry[] {
  const products = new Map<Entry, number>()
  for (const [gram, count] of countGrams(text, size)) {
    for (const [entry, times] of byGram.get(gram) ?? []) products.set(entry, (products.get(entry) ?? 0) + count * times)
  }
  return [...products]
    .map(([entry, product]) => ({ entry, score: product / (lengths.get(entry) ?? 1) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, candidatesMax)
    .map(({ entry }) => entry)
}

function closest(text: string, entries: readonly Entry[]): { member: string; similarity: number } | undefined {
  let best: { member: string; similarity: number } | undefined
  for (const { member, lower } of entries) {
    const similarity = 1 - editDistance(text, lower) / Math.max(text.length, lower.length)
    if (best === undefined || similarity > best.similarity) best = { member, similarity }
  }
  return best
}

/** Levenshtein distance: insertions, deletions and replacements that turn one text into the other. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
