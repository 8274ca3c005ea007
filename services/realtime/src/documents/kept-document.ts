import { Doc, encodeStateAsUpdate } from 'yjs'
import type { RealtimeOptions } from '../config.ts'
import type { Budget } from './budget.ts'
import type { DocumentKey, DocumentStore } from './document-store.ts'
import { documentRefusals as refusals } from './refusals.ts'
import { emptyVector, isComplete, isWaiting, mergeNews, type News, takeIn, vectorWithout } from './take-in.ts'

export type KeptDocumentDeps = {
  readonly key: DocumentKey
  readonly store: DocumentStore
  readonly options: Pick<RealtimeOptions, 'documentBytesMax' | 'documentUpdateBytesMax' | 'documentUpdatesMax'>
  readonly budget: Budget
}

/**
 * A document in memory as it is in Postgres: between two calls it holds nothing that Postgres does not have. The calls
 * that answer later are made one at a time; they reject when Postgres fails.
 */
export type KeptDocument = {
  /** Undefined until it is read, and when it was forgotten. */
  doc(): Doc | undefined
  /** Reads what others wrote, the first time everything. False when there is no memory for it. */
  read(): Promise<boolean>
  /** Takes in updates and puts what is new into Postgres. Why not, for each; undefined for those that it has. */
  write(updates: readonly Uint8Array[]): Promise<readonly Refusal[]>
  /** What came by reading and writing since the last time. */
  takeNews(): News | undefined
  /** Puts one row in the place of many when they have become many, or large. */
  foldWhenDue(): Promise<void>
  /** Whether the update of this number is not here yet. */
  lacks(seq: number): boolean
  forget(): void
}

type Refusal = string | undefined

/** Of an update in Postgres. `raced`: another node made the document; `failed`: it was deleted or has no room any more. */
type Outcome = 'done' | 'tooLarge' | 'raced' | 'failed'

type Loaded = {
  readonly doc: Doc
  /** Undefined until somebody writes. */
  id: string | undefined
  /** The last update that is in `doc`. */
  seq: number
  /** How its updates lie in Postgres: how many, the bytes of the first, and of all. */
  rows: number
  firstBytes: number
  bytes: number
}

const newDocument = (): Loaded => ({ doc: new Doc(), id: undefined, seq: 0, rows: 0, firstBytes: 0, bytes: 0 })

export function createKeptDocument({ key, store, budget, options }: KeptDocumentDeps): KeptDocument {
  const { documentBytesMax, documentUpdateBytesMax, documentUpdatesMax } = options
  const tooLarge = refusals.tooLarge(documentBytesMax)
  let loaded: Loaded | undefined
  /** Postgres has updates before the last one written that are not here. */
  let hasGap = false
  let news: News[] = []
  /** What was told of a document that was forgotten since: a state vector. */
  let toldVector: Uint8Array | undefined

  async function read(): Promise<Loaded | undefined> {
    const stored = await store.read(key, loaded?.seq ?? 0)
    hasGap = false
    // It was deleted, and perhaps made anew.
    if (loaded?.id !== undefined && loaded.id !== stored?.id) {
      forget(emptyVector)
      return read()
    }
    const isFirst = loaded === undefined
    const now = (loaded ??= newDocument())
    now.id = stored?.id
    const updates = stored?.updates ?? []
    const brought = takeIn(
      now.doc,
      updates.map(({ bytes }) => bytes),
    )
    for (const { seq, bytes } of updates) countRow(now, seq, bytes.length)
    if (!budget.charge(key, now.bytes) && isFirst) {
      forget(toldVector)
      return undefined
    }
    if (!isFirst && brought !== undefined) news.push({ update: brought.update, isExact: false })
    if (toldVector !== undefined) news.push({ update: encodeStateAsUpdate(now.doc, toldVector), isExact: false })
    toldVector = undefined
    return now
  }

  async function write(updates: readonly Uint8Array[]): Promise<readonly Refusal[]> {
    const refused: Refusal[] = []
    while (refused.length < updates.length) {
      const now = loaded ?? (await read())
      if (now === undefined) return updates.map(refusals.full)
      const rest = updates.slice(refused.length)
      const bytes = rest.reduce((sum, { length }) => sum + length, now.bytes)
      if (bytes > documentBytesMax && now.rows > 1) await fold(now)
      refused.push(...(await writeUntilBroken(now, rest)))
      if (hasGap) await read()
    }
    return refused
  }

  /**
   * Up to the first update that breaks the document in memory, which is forgotten then; none when another node made the
   * document at the same time.
   */
  async function writeUntilBroken(now: Loaded, updates: readonly Uint8Array[]): Promise<readonly Refusal[]> {
    const { news: added, refused, broken } = takeInUntilBroken(now.doc, updates)
    const taken = updates.slice(0, refused.length).filter((update, index) => !refused[index] || update === broken)
    let outcome: Outcome = 'failed'
    try {
      outcome = added === undefined ? 'done' : await persist(now, added.update)
    } finally {
      // The next reading tells what is in Postgres nevertheless.
      if (broken !== undefined || outcome !== 'done') forget(vectorWithout(now.doc, taken))
      else if (added !== undefined) news.push(added)
    }
    if (outcome === 'raced') return []
    const refusal = outcome === 'done' ? undefined : outcome === 'tooLarge' ? tooLarge : refusals.unavailable()
    return refused.map((own) => own ?? refusal)
  }

  async function persist(now: Loaded, update: Uint8Array): Promise<Outcome> {
    if (now.bytes + update.length > documentBytesMax) return 'tooLarge'
    if (now.id === undefined) {
      const id = await store.create(key, update)
      if (id === undefined) return 'raced'
      now.id = id
      countRow(now, 1, update.length)
    } else {
      const seq = await store.append(now.id, update, documentBytesMax)
      if (seq === undefined) return 'failed'
      // Others wrote in between; the next reading brings their updates, and this one with them.
      if (seq === now.seq + 1) countRow(now, seq, update.length)
      else hasGap = true
    }
    budget.charge(key, now.bytes)
    return 'done'
  }

  async function foldWhenDue(): Promise<void> {
    if (loaded === undefined || loaded.rows < 2) return
    const { rows, bytes, firstBytes } = loaded
    const isLarge = bytes - firstBytes > Math.max(firstBytes, documentUpdateBytesMax)
    if (rows > documentUpdatesMax || isLarge) await fold(loaded)
  }

  async function fold(now: Loaded): Promise<void> {
    const whole = encodeStateAsUpdate(now.doc)
    await store.fold(now.id!, now.seq, whole)
    Object.assign(now, { rows: 1, firstBytes: whole.length, bytes: whole.length })
  }

  function forget(told: Uint8Array | undefined): void {
    loaded?.doc.destroy()
    loaded = undefined
    toldVector = told
    budget.release(key)
  }

  return {
    doc: () => loaded?.doc,
    read: async () => (await read()) !== undefined,
    write,
    takeNews: () => mergeNews(news.splice(0)),
    foldWhenDue,
    // What is being read just now may have been read before it.
    lacks: (seq) => loaded === undefined || loaded.seq < seq,
    forget: () => forget(undefined),
  }
}

function countRow(now: Loaded, seq: number, bytes: number): void {
  if (now.rows === 0) now.firstBytes = bytes
  now.rows += 1
  now.bytes += bytes
  now.seq = seq
}

type Taken = {
  readonly news: News | undefined
  /** Of the updates that were looked at. */
  readonly refused: readonly Refusal[]
  /** The last of them, when it left the document of no use. */
  readonly broken: Uint8Array | undefined
}

function takeInUntilBroken(doc: Doc, updates: readonly Uint8Array[]): Taken {
  const refused: Refusal[] = []
  const news: News[] = []
  for (const update of updates) {
    const refusal = whyNot(doc, update)
    refused.push(refusal)
    if (refusal !== undefined) continue
    try {
      const part = takeIn(doc, [update])
      if (isWaiting(doc)) throw new Error('the update builds on itself in a circle')
      if (part !== undefined) news.push(part)
    } catch {
      refused[refused.length - 1] = refusals.malformed()
      return { news: mergeNews(news), refused, broken: update }
    }
  }
  return { news: mergeNews(news), refused, broken: undefined }
}

function whyNot(doc: Doc, update: Uint8Array): Refusal {
  try {
    return isComplete(doc, update) ? undefined : refusals.outOfStep()
  } catch {
    return refusals.malformed()
  }
}
