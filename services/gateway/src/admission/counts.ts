import { classNames } from '@pando/admission/classes'
import type { Gate } from '@pando/admission/gate'
import type { MissReason } from '@pando/admission/visit'
import type { CounterSeries, Metrics } from '@pando/telemetry/metrics'

/** Of one service, by the place of the class in the table of priorities. */
export type ServiceCounts = {
  readonly admitted: readonly CounterSeries[]
  readonly waited: readonly CounterSeries[]
  readonly refused: Readonly<Record<MissReason, readonly CounterSeries[]>>
}

/** How much one look says about the saturation that is shown: at four looks a second, the last ten seconds count. */
const novelty = 0.025

/** What `/metrics` tells about admission. */
export function countAdmission(metrics: Metrics) {
  const gates: { readonly service: string; readonly gate: Gate; saturation: number }[] = []
  let pressed = 1
  const admitted = metrics.counter({
    name: 'admission_admitted_total',
    help: 'Requests that were begun, at once or after a wait for a place.',
    labels: ['service', 'class', 'how'],
  })
  const refused = metrics.counter({
    name: 'admission_refused_total',
    help: 'Requests refused with 503: as many waited as could be served in time (full), or the wait was over (late).',
    labels: ['service', 'class', 'reason'],
  })
  const gauge = (name: string, help: string, read: (entry: (typeof gates)[number]) => number): void =>
    metrics.gauge({
      name,
      help,
      read: () => gates.map((entry) => ({ labels: { service: entry.service }, value: read(entry) })),
    })
  gauge(
    'admission_in_flight',
    'Requests that run now and keep a place of the quick.',
    ({ gate }) => gate.state().inFlight,
  )
  gauge('admission_limit', 'Requests that may run at once now.', ({ gate }) => gate.state().limit)
  gauge(
    'admission_slow_in_flight',
    'Requests that run among the slow, which have places of their own.',
    ({ gate }) => gate.state().slow.inFlight,
  )
  gauge(
    'admission_slow_limit',
    'Requests that may begin to run there at once now.',
    ({ gate }) => gate.state().slow.limit,
  )
  gauge(
    'admission_saturation_ratio',
    'Requests that run as a share of the limit, averaged over ten seconds: scale out above 0.7.',
    ({ saturation }) => saturation,
  )
  gauge(
    'admission_latency_ratio',
    'Latency of the last window as a multiple of the unhindered one.',
    ({ gate }) => gate.state().gradient,
  )
  metrics.gauge({
    name: 'admission_waiting',
    help: 'Requests that wait for a place.',
    read: () =>
      gates.flatMap(({ service, gate }) => {
        const { waiting, slow } = gate.state()
        return waiting.map((value, rank) => ({
          labels: { service, class: classNames[rank]! },
          value: value + slow.waiting[rank]!,
        }))
      }),
  })
  metrics.gauge({
    name: 'admission_pressure_ratio',
    help: 'Share of the limits that event loop and memory of the process allow.',
    read: () => pressed,
  })

  return {
    of(service: string, gate: Gate): ServiceCounts {
      gates.push({ service, gate, saturation: 0 })
      const ofClasses = (series: (name: string) => CounterSeries): CounterSeries[] => classNames.map(series)
      const refusedFor = (reason: MissReason) => ofClasses((name) => refused.series({ service, class: name, reason }))
      return {
        admitted: ofClasses((name) => admitted.series({ service, class: name, how: 'at_once' })),
        waited: ofClasses((name) => admitted.series({ service, class: name, how: 'waited' })),
        refused: { full: refusedFor('full'), late: refusedFor('late') },
      }
    },
    /** Samples what is shown as an average; `share` is what the process allows of the limits. */
    look(share: number): void {
      pressed = share
      for (const entry of gates) {
        const { inFlight, limit } = entry.gate.state()
        entry.saturation += novelty * (inFlight / limit - entry.saturation)
      }
    },
  }
}
