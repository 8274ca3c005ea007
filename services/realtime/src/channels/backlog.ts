import type { Delivery } from '../changes/change-run.ts'
import { keyOfRow, takeOver, toInsertJson } from '../changes/told-row.ts'

/** What a slow client has not been sent, merged by row: its memory grows with rows and not with changes. */
export type Backlog<Owner> = {
  /** False when it would be more than `bytesMax`: it is for the caller to give up. */
  add(owner: Owner, delivery: Delivery): boolean
  /** Takes out what is to be sent first. */
  take(): { readonly owner: Owner; readonly deliveries: readonly Delivery[] } | undefined
  forget(owner: Owner): void
  owners(): ReadonlySet<Owner>
  bytes(): number
}

/** What happened to one row, up to its end. */
type Entry<Owner> = {
  readonly owner: Owner
  readonly key: string | undefined
  /** Of its first change: a client that stops between two entries goes on from there and misses nothing. */
  readonly cursor: string
  isEnd: boolean
  /** The newest for each binding; a row that is new to a binding stays new, whatever is done to it then. */
  readonly slots: Map<number, { readonly delivery: Delivery; readonly isNew: boolean }>
}

/** What an entry takes besides the text: also rows of a few bytes are not kept without an end. */
const slotBytes = 256

export function createBacklog<Owner>(bytesMax: number): Backlog<Owner> {
  /** In the order of their first changes. */
  const entries = new Set<Entry<Owner>>()
  /** Those that the next change of a row is merged with, by its key. */
  const open = new Map<Owner, Map<string, Entry<Owner>>>()
  let bytes = 0

  function findOrAdd(owner: Owner, { row, cursor }: Delivery): Entry<Owner> {
    const key = row && keyOfRow(row)
    const isEnd = row?.change.kind === 'delete'
    // It may be about any row, so nothing after it is merged with what was before it.
    if (key === undefined) open.delete(owner)
    const found = key === undefined ? undefined : open.get(owner)?.get(key)
    // What is there again after its end is told after it.
    if (found !== undefined && (isEnd || !found.isEnd)) return found
    const entry: Entry<Owner> = { owner, key, cursor, isEnd, slots: new Map() }
    entries.add(entry)
    if (key !== undefined) open.set(owner, (open.get(owner) ?? new Map<string, Entry<Owner>>()).set(key, entry))
    return entry
  }

  function put({ slots }: Entry<Owner>, id: number, delivery: Delivery): void {
    const before = slots.get(id)
    const kept = before === undefined ? delivery : mergeDeliveries(before.delivery, delivery)
    slots.set(id, { delivery: kept, isNew: delivery.row?.change.kind === 'insert' || before?.isNew === true })
    bytes += countBytes(kept) - (before === undefined ? 0 : countBytes(before.delivery))
  }

  function empty({ slots }: Entry<Owner>): void {
    for (const { delivery } of slots.values()) bytes -= countBytes(delivery)
    slots.clear()
  }

  function remove(entry: Entry<Owner>): void {
    const { owner, key } = entry
    entries.delete(entry)
    empty(entry)
    const rows = open.get(owner)
    if (key !== undefined && rows?.get(key) === entry) rows.delete(key)
  }

  return {
    add(owner, delivery) {
      const entry = findOrAdd(owner, delivery)
      if (delivery.row?.change.kind === 'delete' && !entry.isEnd) {
        entry.isEnd = true
        empty(entry)
      }
      for (const id of delivery.ids) put(entry, id, delivery)
      return bytes <= bytesMax
    },
    take() {
      const [entry] = entries
      if (entry === undefined) return undefined
      const deliveries = toDeliveries(entry)
      remove(entry)
      return { owner: entry.owner, deliveries }
    },
    forget(owner) {
      open.delete(owner)
      for (const entry of entries) if (entry.owner === owner) remove(entry)
    },
    owners: () => new Set(Array.from(entries, ({ owner }) => owner)),
    bytes: () => bytes,
  }
}

const countBytes = ({ dataJson }: Delivery): number => slotBytes + Buffer.byteLength(dataJson)

function mergeDeliveries({ row: before }: Delivery, delivery: Delivery): Delivery {
  return before === undefined || delivery.row === undefined
    ? delivery
    : { ...delivery, ...takeOver(before, delivery.row) }
}

/** The older first, so that whoever listens to all of it ends with the newest. */
function toDeliveries<Owner>({ cursor, slots }: Entry<Owner>): readonly Delivery[] {
  const texts = new Map<string, Delivery & { readonly ids: number[] }>()
  const newest = [...slots].sort(([, a], [, b]) => (a.delivery.cursor < b.delivery.cursor ? -1 : 1))
  for (const [id, { delivery, isNew }] of newest) {
    const { row } = delivery
    const dataJson = isNew && row?.change.kind === 'update' ? toInsertJson(row) : delivery.dataJson
    const same = texts.get(dataJson) ?? { ...delivery, cursor, dataJson, ids: [] }
    texts.set(dataJson, same)
    same.ids.push(id)
  }
  return [...texts.values()]
}
