import type { State } from './health.ts'

type Choosable = { readonly health: { state(): State } }

/**
 * Chooses by the power of two choices: of two addresses at random, the one with less to do. Those that are up come
 * first; when none is, those that at least can be connected to, for an ejected or silent node may still answer and a
 * refused request never does. Undefined when nobody can be connected to, or all have been `tried`.
 */
export function chooseAddress<A extends Choosable>(
  addresses: readonly A[],
  tried: readonly A[],
  { load, random }: { readonly load: (address: A) => number; readonly random: () => number },
): A | undefined {
  const open = addresses.filter((address) => !tried.includes(address))
  const up = open.filter(({ health }) => health.state() === 'up')
  const candidates = up.length > 0 ? up : open.filter(({ health }) => health.state() !== 'down')
  if (candidates.length < 2) return candidates[0]
  const first = Math.floor(random() * candidates.length)
  const second = (first + 1 + Math.floor(random() * (candidates.length - 1))) % candidates.length
  const [a, b] = [candidates[first]!, candidates[second]!]
  return load(b) < load(a) ? b : a
}
