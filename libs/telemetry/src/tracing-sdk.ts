import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace, TraceFlags, type Tracer } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TracingValues } from './config.ts'
import type { Logger } from './logger.ts'
import type { Arrival, Departure, RequestSpan, Tracing, TracingDeps } from './tracing.ts'

/** Longest wait for the last export when the node ends. */
const stopTimeoutMs = 3000

/** The part of tracing that needs the SDK; loaded only where there is an endpoint. */
export function openSdk(url: string, { values, ids, logger }: TracingDeps): Pick<Tracing, 'begin' | 'stop'> {
  let traceId = ''
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ ...toPairs(values.resourceAttributes), 'service.name': values.serviceName }),
    sampler: toSampler(values),
    // A trace that begins here has the id that log lines have already.
    idGenerator: { generateTraceId: () => traceId, generateSpanId: ids.spanId },
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: tellFailures(toExporter(url, values), logger),
        maxQueueSize: values.spansMax,
        maxExportBatchSize: Math.min(values.batchMax, values.spansMax),
        scheduledDelayMillis: values.exportDelay,
        exportTimeoutMillis: values.exportTimeout,
      }),
    ],
  })
  const tracer = provider.getTracer('pando')
  return {
    begin(arrival) {
      traceId = arrival.traceId
      return toRequestSpan(tracer, arrival)
    },
    stop: () => Promise.race([provider.shutdown(), sleep(stopTimeoutMs, undefined, { ref: false })]),
  }
}

function toRequestSpan(tracer: Tracer, { parent, startMs }: Arrival): RequestSpan {
  const span = tracer.startSpan('request', { kind: SpanKind.SERVER, startTime: startMs }, contextOf(parent))
  const { spanId, traceFlags } = span.spanContext()
  return {
    spanId,
    isSampled: (traceFlags & TraceFlags.SAMPLED) !== 0,
    end(departure) {
      if (!span.isRecording()) return
      addStages(tracer, span, { startMs, ...departure })
      span.updateName(departure.name).setAttributes(departure.attributes)
      if (departure.isFault) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end(departure.endMs)
    },
  }
}

function contextOf(parent: Arrival['parent']) {
  if (parent?.parentId === undefined) return ROOT_CONTEXT
  const { traceId, parentId: spanId, sampled } = parent
  const traceFlags = sampled ? TraceFlags.SAMPLED : TraceFlags.NONE
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true })
}

/** Stages follow one another, so each begins where the one before ended. */
function addStages(tracer: Tracer, span: Span, { startMs, stages }: Pick<Departure, 'stages'> & { startMs: number }) {
  const context = trace.setSpan(ROOT_CONTEXT, span)
  let fromMs = startMs
  stages.names.forEach((name, index) => {
    const toMs = fromMs + stages.durationsMs[index]!
    tracer.startSpan(name, { startTime: fromMs }, context).end(toMs)
    fromMs = toMs
  })
}

function toExporter(url: string, { headers, exportTimeout }: TracingValues): SpanExporter {
  const pairs = toPairs(headers?.reveal().split(',') ?? [])
  return new OTLPTraceExporter({ url, headers: pairs, timeoutMillis: exportTimeout })
}

/** `name=value` items, with percent-encoded values (W3C Baggage §3.3.1), as the standard variables have them. */
function toPairs(items: readonly string[]): Record<string, string> {
  const pairs = items.map((item) => {
    const at = item.indexOf('=')
    return [item.slice(0, Math.max(at, 0)).trim(), decode(item.slice(at + 1).trim())]
  })
  return Object.fromEntries(pairs.filter(([name]) => name !== '')) as Record<string, string>
}

/** Many write their values plainly; a lone percent sign means itself. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function toSampler({ sampler, samplerArg }: TracingValues): Sampler {
  const [name, isParentBased] = [sampler.replace('parentbased_', ''), sampler.startsWith('parentbased_')]
  const root =
    name === 'always_on'
      ? new AlwaysOnSampler()
      : name === 'always_off'
        ? new AlwaysOffSampler()
        : new TraceIdRatioBasedSampler(samplerArg)
  return isParentBased ? new ParentBasedSampler({ root }) : root
}

/** One line when exports begin to fail and one when they work again; the SDK itself says nothing. */
function tellFailures(exporter: SpanExporter, logger: Logger): SpanExporter {
  let isFailing = false
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined
        if (failed && !isFailing) logger.warn({ err: result.error }, 'traces cannot be exported; they are dropped')
        if (!failed && isFailing) logger.info('traces are exported again')
        isFailing = failed
        done(result)
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  }
}
