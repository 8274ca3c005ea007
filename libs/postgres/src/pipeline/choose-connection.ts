import type { Connection } from './connection.ts'

/** The connection with the fewest flights of those that take one more; undefined when there is none. */
export function leastLoaded(connections: readonly Connection[], depthMax: number): Connection | undefined {
  let chosen: Connection | undefined
  let lowest = depthMax
  for (let i = 0; i < connections.length; i++) {
    const connection = connections[i]!
    if (connection.load >= lowest || !connection.hasRoom(depthMax)) continue
    chosen = connection
    lowest = connection.load
    if (lowest === 0) break
  }
  return chosen
}

/** Whether every connection that takes flights has at least `depth` of them; false when there is none. */
export function allBusy(connections: readonly Connection[], depth: number): boolean {
  let seen = false
  for (let i = 0; i < connections.length; i++) {
    const connection = connections[i]!
    if (connection.draining) continue
    if (connection.load < depth) return false
    seen = true
  }
  return seen
}

/** The idle connection that has been so longest. */
export function longestIdle(connections: readonly Connection[]): Connection | undefined {
  let chosen: Connection | undefined
  for (const connection of connections) {
    if (connection.idle && connection.idleSinceMs < (chosen?.idleSinceMs ?? Number.POSITIVE_INFINITY))
      chosen = connection
  }
  return chosen
}
