import { type RealtimeChannel, RealtimeClient } from '@supabase/supabase-js'
import type { Api } from './start-api.ts'

export type RealtimeWishes = { readonly vsn?: string; readonly token?: string }

/** The official client, with either version of the wire. Who makes it disconnects it. */
export function connectRealtime(
  { url, keys }: Pick<Api, 'url' | 'keys'>,
  { vsn = '2.0.0', token }: RealtimeWishes = {},
): RealtimeClient {
  return new RealtimeClient(`${url.replace('http', 'ws')}/realtime/v1`, {
    params: { apikey: keys.anonKey },
    vsn,
    ...(token === undefined ? {} : { accessToken: () => Promise.resolve(token) }),
  })
}

/** Resolves when the channel is joined, rejects with what the server said. */
export const join = (channel: RealtimeChannel): Promise<RealtimeChannel> =>
  new Promise((resolve, reject) => {
    channel.subscribe((status, error) => {
      if (status === 'SUBSCRIBED') resolve(channel)
      if (status === 'CHANNEL_ERROR' || status === 'TIMED_OUT') reject(error ?? new Error(status))
    })
  })
