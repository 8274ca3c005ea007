import type { MetricSnapshot } from '@pando/telemetry/metrics'

/** What the first process tells a worker. */
export type Order =
  /** The node ends: not ready any more, finish, exit. */
  | { readonly kind: 'drain' }
  /** Another worker has taken the place of this one: take no new connections, finish, exit. */
  | { readonly kind: 'retire' }
  | { readonly kind: 'count'; readonly id: number }
  | { readonly kind: 'page'; readonly id: number; readonly page: string }

/** What a worker tells the first process. */
export type Report =
  | { readonly kind: 'listening'; readonly url: string }
  | { readonly kind: 'ready'; readonly isReady: boolean }
  | { readonly kind: 'counted'; readonly id: number; readonly metrics: readonly MetricSnapshot[] }
  /** Wants the metrics of all workers as one page. */
  | { readonly kind: 'page'; readonly id: number }
