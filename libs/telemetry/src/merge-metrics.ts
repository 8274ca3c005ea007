import { type Metric, Registry } from 'prom-client'
import type { MetricSnapshot } from './metrics.ts'

/**
 * One page for Prometheus of the metrics of several processes, by the name of the process, which becomes the `label` of
 * its series. Nothing is added up: a sum would fall when a process is replaced, and Prometheus would take that for a
 * counter that began anew.
 */
export function mergeMetrics(
  label: string,
  processes: ReadonlyMap<string, readonly MetricSnapshot[]>,
): Promise<string> {
  const merged = new Map<string, MetricSnapshot>()
  for (const [name, metrics] of processes)
    for (const metric of metrics) {
      const values = metric.values.map((sample) => ({ ...sample, labels: { ...sample.labels, [label]: name } }))
      merged.set(metric.name, { ...metric, values: [...(merged.get(metric.name)?.values ?? []), ...values] })
    }
  const registry = new Registry()
  for (const metric of merged.values())
    registry.registerMetric({ ...metric, get: () => metric, reset: () => undefined } as unknown as Metric)
  return registry.metrics()
}
