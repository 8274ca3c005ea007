import { createLineWriter, type Logger } from '@pando/telemetry/logger'
import type { HistogramSeries, Metrics } from '@pando/telemetry/metrics'
import { formatStageTimes, micros } from '@pando/telemetry/stages'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { pathOf } from './paths.ts'

/** As web servers write it: the client hung up before there was an answer. */
const clientGoneStatus = 499
const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export type AccountDeps = {
  readonly logger: Logger
  readonly metrics: Metrics
  /** Share of requests that get a line, 0 to 1. */
  readonly requestShare: number
}

/** What is the same for every request to a route with one method: found once, then kept. */
type Account = {
  readonly labels: { readonly service: string; readonly route: string; readonly method: string }
  /** The first members of its log lines. */
  readonly members: string
  /** By the first digit of the status. */
  readonly durations: HistogramSeries[]
}

/**
 * Gives the function that closes the account of a request: one sample of `http_request_duration_seconds` (its count is
 * the rate, its status the errors) and one log line. It runs for every request: about 2 µs with the line.
 */
export function createAccount({ logger, metrics, requestShare }: AccountDeps) {
  const durations = metrics.histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the arrival of the headers to the last byte of the answer.',
    labels: ['service', 'route', 'method', 'status'],
    buckets: durationBuckets,
  })
  const writeLine = createLineWriter(logger)
  const accounts = new WeakMap<object, Map<string, Account>>()
  let owed = 0

  /** Deterministic sampling: a line is written whenever the shares of the requests so far add up to a whole one. */
  function isSampled(): boolean {
    owed += requestShare
    if (owed < 1) return false
    owed -= 1
    return true
  }

  function accountOf(request: FastifyRequest): Account {
    const { config } = request.routeOptions
    let methods = accounts.get(config)
    if (methods === undefined) accounts.set(config, (methods = new Map()))
    let account = methods.get(request.method)
    if (account === undefined) methods.set(request.method, (account = openAccount(config, request.method)))
    return account
  }

  return (reply: FastifyReply, isGone: boolean): void => {
    const { request } = reply
    const { state } = request
    if (state.isClosed) return
    state.isClosed = true
    state.held?.giveBack()
    const account = accountOf(request)
    const totalMs = state.deadline.clock.monotonic() - state.stages.startMs
    const status = reply.raw.headersSent ? reply.statusCode : clientGoneStatus
    const statusClass = Math.trunc(status / 100)
    const series = (account.durations[statusClass] ??= durations.series({
      ...account.labels,
      status: `${statusClass}xx`,
    }))
    series.observe(totalMs / 1000)
    const isFault = status >= 500 && !state.isShed
    const isWritten = isFault ? logger.isLevelEnabled('error') : logger.isLevelEnabled('info') && isSampled()
    if (isWritten) writeLine(`${account.members},"status":${status},"ms":${micros(totalMs)}${membersOf(reply, isGone)}`)
  }
}

function openAccount(config: FastifyRequest['routeOptions']['config'], method: string): Account {
  const isRoute = config.url !== undefined
  const service = config.service ?? 'http'
  const route = isRoute ? (config.routeClass ?? config.url!) : 'unmatched'
  const labels = { service, route, method }
  return { labels, members: `"msg":"request",${JSON.stringify(labels).slice(1, -1)}`, durations: [] }
}

/**
 * The members of the line that differ. The path comes without its query: filters and keys in it are the user's own.
 * Only path and role need escaping; ids are proven harmless where they come in.
 */
function membersOf(reply: FastifyReply, isGone: boolean): string {
  const { state, raw } = reply.request
  const bytes = reply.getHeader('content-length')
  return (
    `,"path":${JSON.stringify(pathOf(raw.url!))},"id":"${state.id}","trace":"${state.traceId}"` +
    (bytes === undefined ? '' : `,"bytes":${Number(bytes)}`) +
    (state.role === '' ? '' : `,"role":${JSON.stringify(state.role)}`) +
    (isGone ? ',"gone":true' : '') +
    (state.stages.names.length === 0 ? '' : `,"stages":${formatStageTimes(state.stages)}`)
  )
}
