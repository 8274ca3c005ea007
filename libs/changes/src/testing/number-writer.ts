import type { Queries } from '@pando/postgres/database'

/** Commits 1, 2, 3 … into `numbers (n int)`, some of them several to a transaction, until it is stopped. */
export type NumberWriter = {
  /** Ends the writing and returns the last number that was committed. */
  stop(): Promise<number>
  /** Fulfils when `count` more numbers have been committed. */
  more(count: number): Promise<void>
}

export function writeNumbers(queries: Queries): NumberWriter {
  let last = 0
  const stopping = new AbortController()
  const waiting: { readonly at: number; readonly resolve: () => void }[] = []
  const write = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const count = 1 + (last % 3)
      await queries.query('insert into numbers select generate_series($1::int, $2::int)', [last + 1, last + count])
      last += count
      for (const { at, resolve } of waiting) if (at <= last) resolve()
    }
  }
  const written = write()
  return {
    stop: async () => {
      stopping.abort()
      await written
      return last
    },
    more: (count) => new Promise((resolve) => waiting.push({ at: last + count, resolve })),
  }
}

/** 1, 2, … `last`, as the log has them. */
export const numbersTo = (last: number): string[] => Array.from({ length: last }, (_, index) => String(index + 1))
