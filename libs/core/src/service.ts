/**
 * The life of a service: built from its dependencies, started, drained, stopped. `start` returns when the service can
 * answer; `drain` returns when its last request has ended, and closes what stays connected, spread over `spreadMs` or at
 * once; `stop` frees what it holds and may be called at any time.
 */
export type Lifecycle = {
  start(): Promise<void>
  drain(spreadMs?: number): Promise<void>
  stop(): Promise<void>
}

const nothing = (): Promise<void> => Promise.resolve()

/** The life of a service that holds nothing of its own. */
export const withoutState: Lifecycle = { start: nothing, drain: nothing, stop: nothing }

/** Answers "may this node get requests now?"; the reason is shown on `/health/ready`. */
export type Readiness = () => { readonly ready: true } | { readonly ready: false; readonly reason: string }
