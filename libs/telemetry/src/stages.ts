import type { Clock } from '@pando/core/clock'

/**
 * What a request spent its time on. Each stage is a name and the milliseconds since the stage before it ended; the list
 * ends up in the log line and in the `Server-Timing` header.
 */
export type Stages = {
  readonly startMs: number
  readonly names: string[]
  readonly durationsMs: number[]
  /** When the last stage ended, on the monotonic clock. */
  lastMs: number
}

/** Starts to time a request that began at `startMs` of the monotonic clock. */
export function startStages(startMs: number): Stages {
  return { startMs, names: [], durationsMs: [], lastMs: startMs }
}

/** Ends the stage `name`: it took the time since the last one ended. The name is a token of RFC 9110 §5.6.2. */
export function endStage(stages: Stages, name: string, clock: Clock): void {
  const nowMs = clock.monotonic()
  stages.names.push(name)
  stages.durationsMs.push(nowMs - stages.lastMs)
  stages.lastMs = nowMs
}

/** The `Server-Timing` header (W3C Server Timing §2): the stages in order, then `total`. */
export function formatServerTiming(stages: Stages, totalMs: number): string {
  let text = ''
  for (let index = 0; index < stages.names.length; index += 1)
    text += `${stages.names[index]};dur=${micros(stages.durationsMs[index]!)}, `
  return `${text}total;dur=${micros(totalMs)}`
}

/** The stages as a JSON object for a log line; times are milliseconds with three decimals. */
export function formatStageTimes(stages: Stages): string {
  let text = '{'
  for (let index = 0; index < stages.names.length; index += 1)
    text += `${index === 0 ? '' : ','}"${stages.names[index]}":${micros(stages.durationsMs[index]!)}`
  return `${text}}`
}

/** Milliseconds rounded to whole microseconds; much cheaper than `toFixed`. */
export function micros(ms: number): number {
  return Math.round(ms * 1000) / 1000
}
