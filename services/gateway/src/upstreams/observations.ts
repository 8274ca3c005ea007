import type { Logger } from '@pando/telemetry/logger'
import type { Metrics } from '@pando/telemetry/metrics'
import type { Upstream } from './create-upstream.ts'
import type { State } from './health.ts'

/** What can be told of the ways to other nodes. */
export type UpstreamObservation =
  | { readonly kind: 'address.changed'; readonly service: string; readonly address: string; readonly state: State }
  | { readonly kind: 'addresses.replaced'; readonly service: string; readonly addresses: readonly string[] }
  | { readonly kind: 'name.unresolved'; readonly service: string; readonly origin: string; readonly cause: unknown }
  | { readonly kind: 'file.refused'; readonly file: string; readonly cause: unknown }
  | {
      readonly kind: 'request.failed'
      readonly service: string
      readonly outcome: 'fault' | 'broken' | 'unreachable'
    }
  | { readonly kind: 'request.repeated'; readonly service: string }

export type Observe = (observation: UpstreamObservation) => void

/** Renders observations as log lines and metrics. */
export function renderObservations(logger: Logger, metrics: Metrics): Observe {
  const failures = metrics.counter({
    name: 'gateway_upstream_failures_total',
    help: 'Requests to upstreams that failed: fault (5xx), broken (before the answer), unreachable (no connection).',
    labels: ['upstream', 'outcome'],
  })
  const repeated = metrics.counter({
    name: 'gateway_upstream_retries_total',
    help: 'Requests that were sent again, to another address where there is one.',
    labels: ['upstream'],
  })
  return (observation) => {
    switch (observation.kind) {
      case 'request.failed':
        return failures.series({ upstream: observation.service, outcome: observation.outcome }).add()
      case 'request.repeated':
        return repeated.series({ upstream: observation.service }).add()
      case 'address.changed': {
        const { service, address, state } = observation
        if (state === 'up') return logger.info({ service, address }, 'an upstream takes requests again')
        return logger.warn({ service, address, state }, 'an upstream gets no requests for now')
      }
      case 'addresses.replaced':
        return logger.info({ service: observation.service, addresses: observation.addresses }, 'upstreams')
      case 'name.unresolved': {
        const { service, origin, cause } = observation
        return logger.warn({ service, origin, err: cause }, 'the name of an upstream could not be resolved')
      }
      case 'file.refused':
        return logger.error({ file: observation.file, err: observation.cause }, 'the upstreams stay as they are')
    }
  }
}

const states: readonly State[] = ['up', 'unready', 'ejected', 'silent', 'down']

/** Shows how many addresses of each service are in which state. */
export function countAddresses(metrics: Metrics, upstreams: readonly Pick<Upstream, 'name' | 'count'>[]): void {
  metrics.gauge({
    name: 'gateway_upstream_addresses',
    help: 'Addresses of upstreams by their state: up, unready, ejected (faults in a row), silent, down (no connection).',
    read: () =>
      upstreams.flatMap(({ name, count }) =>
        states.map((state) => ({ labels: { upstream: name, state }, value: count(state) })),
      ),
  })
}
