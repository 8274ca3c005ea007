import type { Bus, Subscription } from './bus.ts'
import type { Carrier } from './carrier.ts'
import type { Observe } from './observation.ts'

type Listener = Parameters<Bus['subscribe']>[1]
type Followed = { readonly listeners: Set<Listener>; readonly ready: Promise<void> }

/** Who listens to which channel; the carrier hears a channel from its first listener to its last. */
export function createSubscriptions({ carrier, observe }: { carrier: Carrier; observe: Observe }) {
  const followed = new Map<string, Followed>()

  const follow = (channel: string): Followed => {
    const begun = { listeners: new Set<Listener>(), ready: carrier.subscribe(channel) }
    followed.set(channel, begun)
    return begun
  }
  return {
    /** `started` is when the other processes are known. */
    subscribe: (channel: string, listener: Listener, started: Promise<void>): Subscription => {
      const { listeners, ready } = followed.get(channel) ?? follow(channel)
      // The same function may listen twice.
      const own: Listener = (message, from) => listener(message, from)
      listeners.add(own)
      return {
        ready: Promise.all([started, ready]).then(() => undefined),
        end: () => {
          if (!listeners.delete(own) || listeners.size > 0) return
          followed.delete(channel)
          carrier.unsubscribe(channel)
        },
      }
    },
    deliver: (channel: string, message: Buffer, from: string): void => {
      const found = followed.get(channel)
      if (found === undefined) return
      for (const listener of found.listeners) {
        try {
          listener(message, from)
        } catch (cause) {
          observe({ kind: 'listener.failed', cause })
        }
      }
    },
  }
}
