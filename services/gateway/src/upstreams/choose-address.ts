import type { State } from './health.ts'

type Choosable = { readonly health: { state(): State } }

/** Who is asked before whom. Those that nobody can connect to are not asked: they answer never. */
const preferred: readonly (readonly State[])[] = [
  ['up'],
  // One that leaves goes on for a while, and one that fails may do so with some requests only.
  ['unready', 'ejected'],
  // A request may wait there for as long as it has.
  ['silent'],
]

/**
 * Chooses by the power of two choices: of two addresses at random, the one with less to do; among those in the best state.
 * Undefined when nobody can be connected to, or all have been `tried`.
 */
export function chooseAddress<A extends Choosable>(
  addresses: readonly A[],
  tried: readonly A[],
  { load, random }: { readonly load: (address: A) => number; readonly random: () => number },
): A | undefined {
  const open = addresses.filter((address) => !tried.includes(address))
  const candidates = listBest(open)
  if (candidates.length < 2) return candidates[0]
  const first = Math.floor(random() * candidates.length)
  const second = (first + 1 + Math.floor(random() * (candidates.length - 1))) % candidates.length
  const [a, b] = [candidates[first]!, candidates[second]!]
  return load(b) < load(a) ? b : a
}

function listBest<A extends Choosable>(addresses: readonly A[]): readonly A[] {
  for (const states of preferred) {
    const found = addresses.filter(({ health }) => states.includes(health.state()))
    if (found.length > 0) return found
  }
  return []
}
