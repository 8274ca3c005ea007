/** Work that many want at once and one does. */
export type Flights<Result> = {
  /** What was begun before now, until it ends. */
  underWay(key: string): Promise<Result> | undefined
  /** Joins what is under way, or begins. */
  join(key: string, begin: () => Promise<Result>): Promise<Result>
}

export function createFlights<Result>(): Flights<Result> {
  const flights = new Map<string, Promise<Result>>()
  return {
    underWay: (key) => flights.get(key),
    join: (key, begin) => {
      const found = flights.get(key)
      if (found !== undefined) return found
      const begun = begin().finally(() => flights.delete(key))
      flights.set(key, begun)
      return begun
    },
  }
}
