/** `vsn` of the socket: 1.0.0 sends objects, 2.0.0 arrays and bytes. */
export type Version = 1 | 2

/** A message that a client sends to others, as the bytes that came: nobody on the way looks inside. */
export type UserMessage = {
  readonly event: string
  readonly encoding: 'json' | 'binary'
  readonly bytes: Buffer
}

/** What a client says (Phoenix channels). Refs are its own names for the message and for its join of the topic. */
export type ClientMessage = {
  readonly joinRef: string | null
  readonly ref: string | null
  readonly topic: string
  readonly event: string
  /** JSON, or what came in a binary frame. */
  readonly payload: unknown
  readonly user?: UserMessage
}

/** Where a message of the server belongs. */
export type Address = {
  readonly topic: string
  readonly event: string
  readonly joinRef?: string | null
  readonly ref?: string | null
}
