import type { RealtimeClient } from '@supabase/supabase-js'

/** How long the server may take to answer after a phone woke up, before the connection is taken for dead. */
export const answerMsMax = 3_000
const firstPauseMs = 2_000
const pauseMsMax = 30_000
/** The longest that timers can wait: 24 days. */
const asleepMs = 2 ** 31 - 1

export type Connection = {
  /** When to try again after so many failures, in milliseconds: at random, so that a million phones do not come at once. */
  reconnectAfterMs(tries: number): number
  /** Something came from the server. */
  hear(): void
  /** The app can be seen again, or the network is another one: the connection is tried, or made anew at once. */
  wake(): void
  /** The app is in the background, where nothing is tried again. */
  sleep(): void
  stop(): void
}

type Tools = { readonly clientOf: () => RealtimeClient; readonly random: () => number }

export function createConnection({ clientOf, random }: Tools): Connection {
  let isAsleep = false
  let isUrgent = false
  let heard = 0
  let probe: ReturnType<typeof setTimeout> | undefined

  function reconnectAfterMs(tries: number): number {
    if (isUrgent) {
      isUrgent = false
      return 0
    }
    return isAsleep ? asleepMs : random() * Math.min(pauseMsMax, firstPauseMs * 2 ** (tries - 1))
  }

  function wake(): void {
    isAsleep = false
    clearTimeout(probe)
    // In browsers the SDK listens too, and may be about to connect.
    probe = setTimeout(look, 0)
  }

  function look(): void {
    const client = clientOf()
    if (client.getChannels().length === 0) return
    if (!client.isConnected() && !client.isConnecting()) return reconnect(client)
    const before = heard
    // Not by `sendHeartbeat`, for which a heartbeat of the SDK that is on its way counts as lost.
    if (client.isConnected()) client.push({ topic: 'phoenix', event: 'heartbeat', payload: {}, ref: 'wake' })
    probe = setTimeout(() => {
      if (heard === before && !isAsleep) giveUp(client)
    }, answerMsMax)
  }

  function giveUp(client: RealtimeClient): void {
    if (!client.isConnected()) return reconnect(client)
    isUrgent = true
    // A heartbeat that is due while another is unanswered: so the SDK itself tells channels that the connection is lost.
    void client.sendHeartbeat()
    void client.sendHeartbeat()
  }

  function reconnect(client: RealtimeClient): void {
    isUrgent = true
    client.reconnectTimer.reset()
    client.reconnectTimer.scheduleTimeout()
  }

  return {
    reconnectAfterMs,
    hear: () => {
      heard += 1
    },
    wake,
    sleep: () => {
      isAsleep = true
    },
    stop: () => clearTimeout(probe),
  }
}
