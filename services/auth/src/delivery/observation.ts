/** What happens to messages; an installation makes log lines of it. Never the code, the link or the whole address. */
export type DeliveryObservation =
  | {
      readonly name: 'mail_sent' | 'mail_deferred' | 'mail_failed'
      readonly kind: string
      readonly userId: string
      readonly error?: unknown
    }
  | { readonly name: 'mails_dropped'; readonly count: number }
  | { readonly name: 'mail_server_unreachable'; readonly error: unknown }
  | { readonly name: 'text_failed'; readonly userId: string | undefined; readonly error: unknown }
