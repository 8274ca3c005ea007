import type { Clock } from '@pando/core/clock'
import type { Deadline } from '@pando/core/deadline'
import { endStage, startStages, type Stages } from '@pando/telemetry/stages'
import { type Ids, parseTraceparent } from '@pando/telemetry/trace'
import type { FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'

/** What this house keeps about a request while it is here; it is `request.state`. */
export type RequestState = {
  /** `x-request-id`: the caller's if it is sane, else the trace id. */
  readonly id: string
  /** 32 hexadecimal digits: the caller's trace, or a new one. */
  readonly traceId: string
  /** Whether the caller records the trace. */
  readonly traceSampled: boolean
  readonly deadline: Deadline
  readonly stages: Stages
  /** The database role, once the caller is known; for the log line. */
  role: string
  /** Whether the request has been counted and logged. */
  isClosed: boolean
  /** Whether its answer says how long each stage took. */
  isTimed: boolean
  /** What it takes a share of while it runs; given back at the latest when its account is closed. */
  held: Held | undefined
  /** Whether it was turned away because there is too much to do: no fault, and nothing to write a line about each time. */
  isShed: boolean
}

/** A share of something that is limited. Giving it back again does nothing. */
export type Held = { readonly giveBack: () => void }

declare module 'fastify' {
  interface FastifyRequest {
    state: RequestState
  }
  interface FastifyContextConfig {
    /** Name of the service that owns the route; a label of metrics and log lines. */
    service?: string
    /** Name of the route in metrics; its URL pattern if not given. */
    routeClass?: string
  }
}

/** The header by which a node tells the next one how many milliseconds are left. */
export const timeoutHeader = 'x-pando-timeout-ms'

export type RequestStateDeps = {
  readonly clock: Clock
  readonly ids: Ids
  readonly requestTimeout: number
  readonly serverTiming: boolean
}

/** Begins to keep account of a request that has just arrived. */
export function startRequest(deps: RequestStateDeps, raw: IncomingMessage): RequestState {
  const { clock, ids, requestTimeout } = deps
  const startMs = clock.monotonic()
  const { headers } = raw
  const trace = headers.traceparent === undefined ? undefined : parseTraceparent(String(headers.traceparent))
  const traceId = trace?.traceId ?? ids.traceId()
  return {
    id: saneRequestId(headers['x-request-id']) ?? traceId,
    traceId,
    traceSampled: trace?.sampled ?? false,
    deadline: { atMs: startMs + allowedMs(headers[timeoutHeader], requestTimeout), clock },
    stages: startStages(startMs),
    role: '',
    isClosed: false,
    isTimed: deps.serverTiming,
    held: undefined,
    isShed: false,
  }
}

/** Accepted from outside because it ends up in log lines and headers: short, and nothing but harmless characters. */
function saneRequestId(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[\w.:/+=-]{1,128}$/.test(header) ? header : undefined
}

/** A hop may shorten the deadline, never lengthen it; so the header needs no trust. */
function allowedMs(header: string | string[] | undefined, requestTimeout: number): number {
  if (typeof header !== 'string' || !/^\d{1,9}$/.test(header)) return requestTimeout
  return Math.min(requestTimeout, Number(header))
}

/** Ends a stage of the request: call it where the stage's work is done. */
export function endRequestStage(request: FastifyRequest, name: string): void {
  endStage(request.state.stages, name, request.state.deadline.clock)
}
