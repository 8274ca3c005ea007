/** Large enough that a round trip does not count, small enough that an answer comes within a fraction of a second. */
const batchRows = 1000

/** The server has work while the next batch is written and the last answer is read. */
const batchesInFlight = 4

export type Upload<Row> = {
  /** Sends one batch; the client's answer. */
  readonly send: (batch: Row[]) => PromiseLike<{ readonly error: { readonly message: string } | null }>
  readonly onSent: (rows: number) => void
}

/**
 * Sends rows in batches, several at once, in no particular order.
 *
 * @throws at the first batch that is refused; those already under way still end
 */
export async function uploadBatches<Row>(rows: readonly Row[], { send, onSent }: Upload<Row>): Promise<void> {
  let next = 0
  async function work(): Promise<void> {
    while (next < rows.length) {
      const at = next
      next += batchRows
      const batch = rows.slice(at, at + batchRows)
      const { error } = await send(batch)
      if (error !== null) {
        next = rows.length
        throw new Error(`Rows ${at} to ${at + batch.length - 1} were refused: ${error.message}`)
      }
      onSent(batch.length)
    }
  }
  await Promise.all(Array.from({ length: batchesInFlight }, work))
}
