/** What the budget sees of a lane. */
export type Bidder = {
  readonly role: string
  /** Open and opening connections. */
  readonly held: number
  /** Whether it could use one more now. */
  readonly wants: boolean
  /** Opens a connection if the budget lets it. */
  grow(): void
  /** Since when its longest unused connection has been so; undefined when all are in use. */
  readonly idleSinceMs: number | undefined
  /** Closes its longest unused connection. */
  closeLongestIdle(): void
}

/**
 * Divides `connectionsMax` connections between lanes. A lane that finds none free gets one that somebody else does not
 * use, or, when all are busy, the next one that a role with more than its share hands back.
 */
export type ConnectionBudget = {
  /** Takes a slot; false when there is none, then `grow` is called when there is one. */
  take(bidder: Bidder): boolean
  give(bidder: Bidder): void
  /** Whether the lane should close the connection that just became free, in favour of another. Counts on it. */
  mustYield(bidder: Bidder): boolean
  /** Closes the connection that has been unused longest, of any lane. */
  closeLongestIdle(): boolean
  readonly taken: number
}

export function createConnectionBudget(connectionsMax: number): ConnectionBudget {
  const holders = new Set<Bidder>()
  const waiting = new Set<Bidder>()
  let taken = 0
  /** Connections that close in favour of somebody who waits. */
  let leaving = 0

  const heldByRole = (role: string) => {
    let held = 0
    for (const holder of holders) if (holder.role === role) held += holder.held
    return held
  }
  const weigh = (bidder: Bidder) => heldByRole(bidder.role) * (connectionsMax + 1) + bidder.held
  const dropSated = () => {
    for (const bidder of waiting) if (!bidder.wants) waiting.delete(bidder)
  }
  const serveWaiting = () => {
    dropSated()
    const neediestFirst = [...waiting].sort((a, b) => weigh(a) - weigh(b))
    for (const bidder of neediestFirst) {
      if (taken >= connectionsMax) return
      waiting.delete(bidder)
      bidder.grow()
    }
  }
  const outweighs = (holder: Bidder, bidder: Bidder) => {
    if (holder === bidder) return false
    if (holder.role === bidder.role) return bidder.held === 0 || bidder.held + 1 < holder.held
    const held = heldByRole(bidder.role)
    return held === 0 || held + 1 < heldByRole(holder.role)
  }

  const budget: ConnectionBudget = {
    take(bidder) {
      if (taken < connectionsMax) {
        taken++
        holders.add(bidder)
        waiting.delete(bidder)
        return true
      }
      waiting.add(bidder)
      if (leaving < waiting.size && budget.closeLongestIdle()) leaving++
      return false
    },
    give(bidder) {
      taken--
      leaving = Math.max(0, leaving - 1)
      if (bidder.held === 0) holders.delete(bidder)
      serveWaiting()
    },
    mustYield(bidder) {
      if (waiting.size === 0 || taken < connectionsMax) return false
      dropSated()
      if (leaving >= waiting.size) return false
      for (const other of waiting) {
        if (!outweighs(bidder, other)) continue
        leaving++
        return true
      }
      return false
    },
    closeLongestIdle() {
      let longest: Bidder | undefined
      for (const holder of holders) {
        const sinceMs = holder.idleSinceMs
        if (sinceMs !== undefined && sinceMs < (longest?.idleSinceMs ?? Number.POSITIVE_INFINITY)) longest = holder
      }
      longest?.closeLongestIdle()
      return longest !== undefined
    },
    get taken() {
      return taken
    },
  }
  return budget
}
