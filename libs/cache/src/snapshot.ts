/**
 * What a statement could see: every transaction before `xmin`, and those before `xmax` that were not running
 * (`pg_current_snapshot()`).
 */
export type Snapshot = {
  readonly text: string
  readonly xmin: bigint
  readonly xmax: bigint
  readonly running: ReadonlySet<bigint>
}

const form = /^(\d+):(\d+):((?:\d+(?:,\d+)*)?)$/

/** Reads Postgres' form, for example `10:20:10,14,15`; undefined for any other text. */
export function parseSnapshot(text: string): Snapshot | undefined {
  const [, xmin, xmax, running] = form.exec(text) ?? []
  if (xmin === undefined || xmax === undefined || running === undefined) return undefined
  const ids = running === '' ? [] : running.split(',')
  return { text, xmin: BigInt(xmin), xmax: BigInt(xmax), running: new Set(ids.map(BigInt)) }
}

/** Whether what a committed transaction did was seen. */
export function isVisible(snapshot: Snapshot, xid: number): boolean {
  const id = toFullId(snapshot, xid)
  return id < snapshot.xmin || (id < snapshot.xmax && !snapshot.running.has(id))
}

/** Whether all transactions that had begun when this one did have ended by now. */
export const isLongOver = (snapshot: Snapshot, xid: number): boolean => toFullId(snapshot, xid) < snapshot.xmin

/** The log numbers transactions by 32 bits: they are the ones nearest to the next. */
const toFullId = ({ xmax }: Snapshot, xid: number): bigint => xmax + BigInt.asIntN(32, BigInt(xid) - xmax)

/** The later of two numbers of the log, which begin again after the last. */
export const laterXid = (a: number, b: number): number => (((a - b) | 0) > 0 ? a : b)
