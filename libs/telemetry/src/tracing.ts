import type { TracingValues } from './config.ts'
import type { Logger } from './logger.ts'
import type { Stages } from './stages.ts'
import type { Ids, Trace } from './trace.ts'

/** A request that has arrived. Times are milliseconds since the epoch, with fractions. */
export type Arrival = {
  /** The caller's trace, or the one that begins here. */
  readonly traceId: string
  /** What the caller said in `traceparent`. */
  readonly parent?: Trace
  readonly startMs: number
}

/** What became of it. */
export type Departure = {
  /** For example `GET /rest/v1/*`: few different ones. */
  readonly name: string
  readonly attributes: Readonly<Record<string, string | number>>
  readonly isFault: boolean
  readonly stages: Stages
  readonly endMs: number
}

/** The server span of a request. */
export type RequestSpan = {
  /** Where the next hop's spans belong. */
  readonly spanId: string
  readonly isSampled: boolean
  end(departure: Departure): void
}

export type Tracing = {
  /** Loads the SDK; before that no span can be begun. */
  start(): Promise<void>
  begin(arrival: Arrival): RequestSpan
  /** Sends what waits, for a bounded time. */
  stop(): Promise<void>
}

export type TracingDeps = { readonly values: TracingValues; readonly ids: Ids; readonly logger: Logger }

/** Where spans go; undefined when nobody wants them. */
export function tracesUrl({ endpoint, tracesEndpoint }: TracingValues): string | undefined {
  if (tracesEndpoint !== null) return tracesEndpoint
  return endpoint === null ? undefined : `${endpoint.replace(/\/$/, '')}/v1/traces`
}

/** Tracing as the configuration wants it, or none. Without it nothing of OpenTelemetry is loaded. */
export function createTracing(deps: TracingDeps): Tracing | undefined {
  const url = tracesUrl(deps.values)
  if (url === undefined) return undefined
  let sdk: Pick<Tracing, 'begin' | 'stop'> | undefined
  return {
    async start() {
      const { openSdk } = await import('./tracing-sdk.ts')
      sdk = openSdk(url, deps)
    },
    begin: (arrival) => sdk!.begin(arrival),
    stop: async () => sdk?.stop(),
  }
}
