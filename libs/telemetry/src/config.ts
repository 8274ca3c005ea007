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
