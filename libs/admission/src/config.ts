import { options, type Values } from '@pando/config/options'
import { classNames } from './classes.ts'
import type { GateOptions } from './gate.ts'

export const admissionOptions = options({
  prefix: 'admission',
  text: 'Overload control: how many requests each service runs at once is learned; the rest waits shortly or is refused with 503, the least important first.',
  options: {
    enabled: {
      type: 'boolean',
      default: true,
      text: 'Whether there is admission at all. Without it every request is begun at once.',
    },
    limitInitial: {
      type: 'integer',
      default: 20,
      min: 1,
      text: 'Requests of a service that run at once before anything is known of it, and while it has little to do.',
    },
    limitMin: { type: 'integer', default: 2, min: 1, text: 'Least number of requests of a service that run at once.' },
    limitMax: {
      type: 'integer',
      default: 1000,
      min: 1,
      text: 'Most requests of a service that run at once, however fast they are.',
    },
    latencyFactor: {
      type: 'number',
      default: 1.5,
      min: 1.05,
      max: 10,
      text: 'How many times its unhindered latency a request may take before fewer run at once.',
    },
    latencySlack: {
      type: 'duration',
      default: 5,
      min: 1,
      text: 'Added to all latencies before they are compared: waiting for each other for less than this is no congestion.',
    },
    window: { type: 'duration', default: 100, min: 10, text: 'Shortest time between two changes of the limit.' },
    probe: {
      type: 'duration',
      default: 30_000,
      min: 1000,
      text: 'Under lasting load, how often unhindered latency is measured anew, with half of the requests for a moment.',
    },
    queueMax: {
      type: 'integer',
      default: 2000,
      min: 0,
      text: 'Most requests of one class that wait for a place (503).',
    },
    wait: { type: 'duration', default: 5000, min: 1, text: 'Longest wait for a place in a burst (503).' },
    standingWait: {
      type: 'duration',
      default: 8,
      min: 1,
      text: 'Longest wait for a place when there is lastingly more to do than can be done (503).',
    },
    retryAfterMax: {
      type: 'duration',
      default: 5000,
      min: 1000,
      text: '`Retry-After` of a refusal is a random number of whole seconds from 1 to this, so that not all come back at once.',
    },
    slow: {
      type: 'duration',
      default: 1000,
      min: 100,
      text: 'Who has been inside for so long while others wait gives its place back and goes on among the slow, which have places of their own.',
    },
    slowMax: {
      type: 'integer',
      default: 100,
      min: 1,
      text: 'Most slow requests of a service that are inside at once; beyond, who takes long keeps its place.',
    },
    callersMax: {
      type: 'integer',
      default: 10_000,
      min: 1,
      text: 'Callers of whom it is remembered how much they had lately, so that each gets a fair share.',
    },
    kindsMax: {
      type: 'integer',
      default: 200,
      min: 1,
      text: 'Kinds of requests of a service (method and table, function or endpoint) whose latency is known apart.',
    },
    loopLagMax: {
      type: 'duration',
      default: 100,
      min: 10,
      text: 'When the event loop is later than this, the limit shrinks in proportion.',
    },
    memoryShareMax: {
      type: 'number',
      default: 0.85,
      min: 0.1,
      max: 0.99,
      text: 'When heap or container memory is fuller than this share, the limit shrinks, down to a tenth when it is full.',
    },
    rules: {
      type: 'tables',
      default: [],
      toml: 'admission.rules',
      text: 'Which requests belong to which class. The first rule that fits counts, and comes before the built-in ones.',
      members: {
        path: {
          type: 'string',
          default: null,
          required: true,
          text: 'How the path begins, for example `/rest/v1/events`.',
        },
        method: { type: 'string', default: null, text: 'For example `POST`; any if not given.' },
        role: { type: 'string', default: null, text: 'Role of the caller, for example `anon`; any if not given.' },
        class: { type: 'enum', values: classNames, default: null, required: true, text: 'What it is.' },
      },
    },
  },
})
export type AdmissionValues = Values<typeof admissionOptions>

/** What a gate needs of them. */
export function toGateOptions(values: AdmissionValues): GateOptions {
  const { limitInitial, limitMin, limitMax, latencyFactor, queueMax, callersMax, slowMax } = values
  const initial = Math.min(limitMax, Math.max(limitMin, limitInitial))
  return {
    limitInitial: initial,
    limitMin: Math.min(limitMin, limitMax),
    limitMax,
    latencyFactor,
    latencySlackMs: values.latencySlack,
    windowMs: values.window,
    probeMs: values.probe,
    queueMax,
    waitMs: values.wait,
    standingWaitMs: values.standingWait,
    callersMax,
    slowMs: values.slow,
    slowMax,
  }
}
