/**
 * What the processes of one deployment tell each other. Each says who it is and that it lives; what one publishes, the others
 * who listen get: at most once, in order per sender, channel and delivery, and never the sender itself.
 */
export type Bus = {
  /** This process, as others name it; another one after each start. */
  readonly nodeId: string
  /**
   * Never throws. Costs nothing while no other process is alive. `must` is for what others cannot do without: it arrives
   * exactly once, in the order of all that its sender publishes so, or `onGap` says that it did not. It goes to every process,
   * whether that listens or not. `may` is for what is worthless when late: it may be lost, which `onGap` says too.
   */
  publish(channel: string, message: Uint8Array, delivery: Delivery): void
  /** Hears the messages of others from the moment that `ready` fulfils, which it does as well when they cannot be heard now. */
  subscribe(channel: string, listener: (message: Buffer, from: string) => void): Subscription
  /** The other processes that live. */
  nodes(): readonly string[]
  watch(watcher: Watcher): () => void
  /** Fulfils when the other processes are known, or it is clear that they cannot be asked now. */
  start(): Promise<void>
  /** Says good-bye, so that others need not wait for the silence. */
  stop(): Promise<void>
}

export type Delivery = 'must' | 'may'

export type Subscription = { readonly ready: Promise<void>; end(): void }

export type Watcher = {
  /** A process has come, or nothing was heard of one for `bus.silence`. */
  onNode?(nodeId: string, is: 'here' | 'gone'): void
  /** Messages may have been missed: those who keep a picture of others ask for it again. */
  onGap?(): void
}
