import { options, type Values } from '@pando/config/options'

export const telemetryOptions = options({
  prefix: 'log',
  text: 'What a node says about itself on standard output: one JSON object a line.',
  options: {
    level: {
      type: 'enum',
      values: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
      default: 'info',
      text: 'The least important level that is written. Above `info` there is no line a request.',
    },
    requestShare: {
      type: 'number',
      default: 1,
      min: 0,
      max: 1,
      text: 'Share of requests that get a line, from 0 to 1. Answers with status 500 and above always get one.',
    },
    bufferBytes: {
      type: 'bytes',
      default: 16 * 1024,
      min: 0,
      max: 1024 ** 2,
      text: 'Lines of requests are collected up to this size, or one second, before they are written. 0 writes each at once.',
    },
  },
})
export type TelemetryValues = Values<typeof telemetryOptions>

/** The standard variables of OpenTelemetry, with their standard names and defaults. */
export const tracingOptions = options({
  prefix: 'otel',
  text: 'Traces: a span for each request and its stages, sent by OTLP over HTTP as JSON. Off unless an endpoint is set.',
  options: {
    endpoint: {
      type: 'url',
      default: null,
      env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
      text: 'Base URL of a collector, for example `http://localhost:4318`; spans go to `v1/traces` below it.',
    },
    tracesEndpoint: {
      type: 'url',
      default: null,
      env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      text: 'The whole URL for spans, when it is not the one below the base.',
    },
    headers: {
      type: 'secret',
      default: null,
      env: 'OTEL_EXPORTER_OTLP_HEADERS',
      text: 'Headers of the export as `name=value,name=value`, values percent-encoded; for example a key.',
    },
    serviceName: {
      type: 'string',
      default: 'pando',
      env: 'OTEL_SERVICE_NAME',
      text: 'Name of this node among others.',
    },
    resourceAttributes: {
      type: 'list',
      default: [],
      env: 'OTEL_RESOURCE_ATTRIBUTES',
      text: 'Further facts about this node as `name=value`, for example `deployment.environment.name=staging`.',
    },
    sampler: {
      type: 'enum',
      values: [
        'always_on',
        'always_off',
        'traceidratio',
        'parentbased_always_on',
        'parentbased_always_off',
        'parentbased_traceidratio',
      ],
      default: 'parentbased_always_on',
      env: 'OTEL_TRACES_SAMPLER',
      text: 'Which requests are recorded; `parentbased_…` does as the caller says who sends a `traceparent`.',
    },
    samplerArg: {
      type: 'number',
      default: 1,
      min: 0,
      max: 1,
      env: 'OTEL_TRACES_SAMPLER_ARG',
      text: 'Share of the traces that `…traceidratio` records.',
    },
    spansMax: {
      type: 'integer',
      default: 2048,
      min: 1,
      env: 'OTEL_BSP_MAX_QUEUE_SIZE',
      text: 'Most spans that wait to be sent; more are dropped.',
    },
    batchMax: {
      type: 'integer',
      default: 512,
      min: 1,
      env: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
      text: 'Most spans in one export.',
    },
    exportDelay: {
      type: 'duration',
      default: 5000,
      min: 1,
      env: 'OTEL_BSP_SCHEDULE_DELAY',
      text: 'How long spans are collected before they are sent.',
    },
    exportTimeout: {
      type: 'duration',
      default: 10_000,
      min: 1,
      env: 'OTEL_EXPORTER_OTLP_TIMEOUT',
      text: 'Longest export.',
    },
  },
})
export type TracingValues = Values<typeof tracingOptions>
