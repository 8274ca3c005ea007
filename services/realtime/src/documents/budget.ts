/** Memory that documents share, counted in bytes as Postgres keeps them; in memory they take up to 35 times as much. */
export type Budget = {
  /** What one document takes now. False when there is no room; it counts all the same until it is released. */
  charge(owner: object, bytes: number): boolean
  release(owner: object): void
  bytes(): number
}

/** A document without content takes some memory, too. */
const documentBytesMin = 4 * 1024

export function createBudget(bytesMax: number): Budget {
  const charges = new Map<object, number>()
  let total = 0

  function release(owner: object): void {
    total -= charges.get(owner) ?? 0
    charges.delete(owner)
  }

  return {
    charge(owner, bytes) {
      release(owner)
      const charged = Math.max(documentBytesMin, bytes)
      charges.set(owner, charged)
      total += charged
      return total <= bytesMax
    },
    release,
    bytes: () => total,
  }
}
