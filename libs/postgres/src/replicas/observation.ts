/** Every fact that is reported of several servers; one place elsewhere renders them. Servers are named `host:port`. */
export type ServersObservation =
  | { readonly kind: 'server.heard'; readonly server: string; readonly standby: boolean }
  | { readonly kind: 'server.silent'; readonly server: string; readonly cause: unknown }
  /** Another server than before takes the writes, or the same on a new timeline. */
  | { readonly kind: 'primary.changed'; readonly server: string; readonly timeline: number }
  | { readonly kind: 'read.answered'; readonly by: 'primary' | 'replica' }
  /** A replica was asked in vain and the primary was asked instead. */
  | { readonly kind: 'read.repeated'; readonly why: 'behind' | 'failed'; readonly cause?: unknown }

export type ObserveServers = (observation: ServersObservation) => void
