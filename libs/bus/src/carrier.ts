import type { CarrierName } from './observation.ts'

/** A way to the other processes. */
export type Carrier = {
  readonly name: CarrierName
  /** Whether what is sent now is likely to arrive, and what others send is heard. */
  readonly isUp: boolean
  /** Returns whether it was taken. `channel` is that of a `may` message; what has none goes to every process. */
  send(frame: Buffer, channel?: string): boolean
  /** Fulfils when the messages of the channel are heard, or cannot be now. */
  subscribe(channel: string): Promise<void>
  unsubscribe(channel: string): void
  /** Fulfils when it is up, or the first attempt has failed; it goes on trying. */
  start(): Promise<void>
  /** Sends what waits, as far as that goes quickly. */
  stop(): Promise<void>
}

export type CarrierEvents = {
  /** A frame of another process. */
  onFrame(frame: Buffer, by: CarrierName): void
  /** It can be used; `again` after it was down, if only because it could not be reached at first. */
  onUp(by: CarrierName, again: boolean): void
  /** It cannot be used; told once. */
  onDown(by: CarrierName, cause: unknown): void
  onUnreadable(by: CarrierName, cause: unknown): void
}
