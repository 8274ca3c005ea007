import { collectDefaultMetrics, Registry, type Metric } from 'prom-client'

type Labels<Names extends string> = Readonly<Record<Names, string>>
type Declaration<Names extends string> = {
  /** With its unit last, for example `http_request_duration_seconds`. */
  readonly name: string
  readonly help: string
  readonly labels: readonly Names[]
}

/** One time series of a counter. Keep it; adding to it costs a few nanoseconds. */
export type CounterSeries = { readonly add: (amount?: number) => void }
/** One time series of a histogram. */
export type HistogramSeries = { readonly observe: (value: number) => void }

/**
 * Metrics for Prometheus. The series of a label set is looked up once, with `counter.series({ … })`, and kept by the
 * caller, so that nothing is hashed while a request waits. A label's values must be few: names of services and classes
 * of routes, never paths, ids or users.
 */
export type Metrics = {
  counter<const Names extends string>(declaration: Declaration<Names>): { series(labels: Labels<Names>): CounterSeries }
  histogram<const Names extends string>(
    declaration: Declaration<Names> & { readonly buckets: readonly number[] },
  ): { series(labels: Labels<Names>): HistogramSeries }
  /**
   * A number that is read when somebody asks, for example the depth of a queue, or several that differ in their labels.
   */
  gauge(declaration: {
    readonly name: string
    readonly help: string
    readonly read: () => number | readonly Sample[]
  }): void
  /** The page for Prometheus, in its text format. */
  render(): Promise<string>
  /** The same as data, for another process (`merge-metrics.ts`). */
  snapshot(): Promise<readonly MetricSnapshot[]>
  readonly contentType: string
}

/** Most series of one metric; one more is a programming mistake (an unbounded label) and throws. */
const seriesMax = 1000

/** Makes an empty set of metrics; `process: true` adds those of Node itself (heap, event loop, garbage collector). */
export function createMetrics({ process }: { process: boolean }): Metrics {
  const registry = new Registry()
  if (process) collectDefaultMetrics({ register: registry })
  return {
    counter: (declaration) => declareCounter(registry, declaration),
    histogram: (declaration) => declareHistogram(registry, declaration),
    gauge: ({ name, help, read }) =>
      register(registry, { name, help, type: 'gauge' }, () => {
        const value = read()
        return typeof value === 'number' ? [{ labels: {}, value }] : value
      }),
    render: () => registry.metrics(),
    snapshot: async () => (await registry.getMetricsAsJSON()) as unknown as readonly MetricSnapshot[],
    contentType: registry.contentType,
  }
}

type Sample = {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

/** A metric with all its samples, as plain data. */
export type MetricSnapshot = {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly Sample[]
}

/** prom-client renders anything that has a name and a `get`; the numbers themselves are kept here. */
function register(
  registry: Registry,
  head: { name: string; help: string; type: string },
  samples: () => readonly Sample[],
): void {
  if (registry.getSingleMetric(head.name) !== undefined) throw new Error(`Metric ${head.name} is declared twice.`)
  const metric = { ...head, get: () => ({ ...head, values: samples() }), reset: () => undefined }
  registry.registerMetric(metric as unknown as Metric)
}

function declareCounter<Names extends string>(registry: Registry, declaration: Declaration<Names>) {
  const table = createSeriesTable(declaration, () => ({ total: 0 }))
  register(registry, { ...head(declaration), type: 'counter' }, () =>
    table.all().map(({ labels, state }) => ({ labels, value: state.total })),
  )
  return {
    series(labels: Labels<Names>): CounterSeries {
      const state = table.at(labels)
      return { add: (amount = 1) => void (state.total += amount) }
    },
  }
}

function declareHistogram<Names extends string>(
  registry: Registry,
  declaration: Declaration<Names> & { readonly buckets: readonly number[] },
) {
  const { buckets, name } = declaration
  const table = createSeriesTable(declaration, () => ({ counts: new Float64Array(buckets.length + 1), sum: 0 }))
  register(registry, { ...head(declaration), type: 'histogram' }, () =>
    table.all().flatMap(({ labels, state }) => histogramSamples(name, buckets, { labels, ...state })),
  )
  return {
    series(labels: Labels<Names>): HistogramSeries {
      const state = table.at(labels)
      return {
        observe: (value) => {
          let index = 0
          while (index < buckets.length && value > buckets[index]!) index += 1
          state.counts[index]! += 1
          state.sum += value
        },
      }
    },
  }
}

function histogramSamples(
  name: string,
  buckets: readonly number[],
  { labels, counts, sum }: { labels: Readonly<Record<string, string>>; counts: Float64Array; sum: number },
): Sample[] {
  let total = 0
  const cumulative = [...buckets, '+Inf'].map((le, index) => {
    total += counts[index]!
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: total }
  })
  return [
    ...cumulative,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ]
}

const head = ({ name, help }: { name: string; help: string }): { name: string; help: string } => ({ name, help })

/** The states of a metric by label set; the same labels give the same state. */
function createSeriesTable<Names extends string, State>(declaration: Declaration<Names>, create: () => State) {
  const series = new Map<string, { readonly labels: Labels<Names>; readonly state: State }>()
  return {
    all: () => [...series.values()],
    at(labels: Labels<Names>): State {
      const key = JSON.stringify(declaration.labels.map((name) => labels[name]))
      const found = series.get(key)
      if (found !== undefined) return found.state
      if (series.size >= seriesMax)
        throw new Error(`Metric ${declaration.name} has ${seriesMax} series already; a label takes too many values.`)
      const state = create()
      series.set(key, { labels, state })
      return state
    },
  }
}
