/** What goes back to the caller. Header names are in the spelling of the wire. */
export type Answer = {
  readonly status: number
  readonly statusText?: string
  readonly headers: Record<string, string | string[]>
  /** Bytes as Postgres made them, or a text of ours; undefined for no body. */
  readonly body?: Uint8Array | string
}
