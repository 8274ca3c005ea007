import { RealtimeClient, type RealtimeChannel, type RealtimeClientOptions } from '@supabase/supabase-js'
import { createConnection } from './connection.ts'
import { createFollowedChannel, type FollowedChannel, type Resync } from './followed-channel.ts'
import { type Page, watchPage } from './watch-page.ts'
import { type Message, toMembers, toText } from './wire.ts'

/** What `createClient` takes as `realtime`. */
export type LiveOptions = Required<Pick<RealtimeClientOptions, 'encode' | 'decode' | 'reconnectAfterMs'>>

export type Live<Client> = {
  readonly client: Client
  /**
   * Fetches what a channel shows: when it is joined for the first time (reason `joined`) and when changes were missed
   * (`too_old`: away for longer than the server keeps them; `too_slow`: slower than they came). While the promise is open,
   * changes and kept messages of the channel wait. A fetch that fails is made again with the next heartbeat or join.
   */
  onResync(channel: RealtimeChannel, resync: Resync): void
  /** The app is in the foreground again, or the network is another one. Pages of browsers say so by themselves. */
  wake(): void
  /** The app is in the background. */
  sleep(): void
  /** Ends what watches the page; the client goes on as without all this. */
  stop(): void
}

/**
 * Makes a client whose channels survive the pocket: each goes on where it stopped, with every change once and in order.
 * Only options and methods that the SDK shows are used; with a server that has no cursors channels are fetched after each join.
 */
export function createLive<Client extends { readonly realtime: RealtimeClient }>(
  createClient: (realtime: LiveOptions) => Client,
  { random = Math.random, page = globalThis as unknown as Page } = {},
): Live<Client> {
  const connection = createConnection({ clientOf: () => client.realtime, random })
  const followed = new WeakMap<RealtimeChannel, FollowedChannel>()
  let codec: RealtimeClient | undefined
  const codecOf = (): RealtimeClient => (codec ??= createCodec(client.realtime))

  function follow(channel: RealtimeChannel): FollowedChannel {
    const found = followed.get(channel) ?? createFollowedChannel()
    followed.set(channel, found)
    return found
  }
  const find = (topic: string): FollowedChannel | undefined => {
    const channel = client.realtime.getChannels().find((each) => each.topic === topic)
    return channel && follow(channel)
  }
  const all = (): readonly FollowedChannel[] => client.realtime.getChannels().map(follow)

  function send(message: Message): Message {
    const isOurs = message.event === 'phx_join' || message.event === 'phx_leave'
    return (isOurs ? find(message.topic)?.send(message) : undefined) ?? message
  }

  function receive(message: Message, pass: (message: Message) => void): void {
    connection.hear()
    if (message.topic === 'phoenix') {
      const cursor = toText(toMembers(toMembers(message.payload)['response'])['cursor'])
      if (cursor !== undefined) for (const channel of all()) channel.advance(cursor)
      return pass(message)
    }
    const channel = find(message.topic)
    if (channel === undefined) pass(message)
    else channel.receive(message, pass)
  }

  const client = createClient({
    encode: (message, callback) => codecOf().encode(send(message) as typeof message, callback),
    decode: (raw, callback) =>
      codecOf().decode(raw, (message) => receive(message, (passed) => callback(passed as typeof message))),
    reconnectAfterMs: connection.reconnectAfterMs,
  })
  client.realtime.stateChangeCallbacks.open.push([
    'live',
    () => {
      for (const channel of all()) channel.forgetConnection()
    },
  ])
  const stopWatching = watchPage(page, connection)
  return {
    client,
    onResync: (channel, resync) => follow(channel).onResync(resync),
    wake: connection.wake,
    sleep: connection.sleep,
    stop: () => {
      stopWatching()
      connection.stop()
    },
  }
}

/** The SDK's own way of writing and reading messages, of a client that never connects. */
function createCodec({ transport, vsn }: RealtimeClient): RealtimeClient {
  return new RealtimeClient('wss://unused.invalid', { params: { apikey: 'unused' }, transport, vsn })
}
