/** One message as it was heard. Each sender says 1, 2, 3 … on each channel. */
export type Said = { readonly to: string; readonly from: string; readonly channel: string; readonly number: number }

/** What is missing, double or out of order in what was heard, when each said `last` on each channel. */
export function findFaults(said: readonly Said[], last: number): string[] {
  const faults: string[] = []
  const heard = new Map<string, number>()
  for (const { to, from, channel, number } of said) {
    const way = `${from} to ${to} on ${channel}`
    const before = heard.get(way) ?? 0
    if (number !== before + 1) faults.push(`${way}: ${number} came after ${before}`)
    heard.set(way, number)
  }
  for (const [way, number] of heard) if (number !== last) faults.push(`${way}: ended at ${number} of ${last}`)
  return faults
}
