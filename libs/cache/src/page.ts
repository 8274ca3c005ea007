import { hash } from 'node:crypto'
import type { Snapshot } from './snapshot.ts'

/** What Postgres found for a read: the body as it is sent, and the counts that its headers are made of. */
export type Page = {
  readonly total?: number
  readonly pageRows: number
  readonly body?: Buffer | string
}

/** A page that is kept, with what decides whether it may still be given. */
export type Kept = {
  readonly page: Page
  /** Entity tag without quotes: equal for equal pages. */
  readonly tag: string
  /** What the read saw at least. */
  readonly snapshot: Snapshot
  /** Tables that it read, see `Readable`. */
  readonly tables: readonly number[]
  /** As of which policies were known. */
  readonly schema: Snapshot
  /** Milliseconds since the epoch. */
  readonly madeAtMs: number
}

/** The tag of a page; its total is shown in a header and is part of it. */
export function toTag({ total, pageRows, body }: Page): string {
  return `${hash('sha1', body ?? '', 'base64url')}-${pageRows}-${total ?? ''}`
}
