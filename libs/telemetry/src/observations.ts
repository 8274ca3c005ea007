import type { Level, Logger } from './logger.ts'

/** A fact that a service reports about itself: a member of its typed union, told apart by `type`. */
export type Observation = { readonly type: string }

/** How one kind of observation is told to people and machines. */
export type Rendering<O extends Observation> = {
  readonly level: Level
  /** The sentence of the log line. */
  readonly text: (observation: O) => string
  /** Metrics that change with it. */
  readonly count?: (observation: O) => void
}

/** A row for every kind: one that is forgotten does not compile. */
export type Renderings<O extends Observation> = {
  readonly [Type in O['type']]: Rendering<Extract<O, { readonly type: Type }>>
}

export type Observe<O extends Observation> = (observation: O) => void

/**
 * The one place where observations become log lines and metrics. The members of an observation are the facts of its
 * line; a cause under `error` is written with its stack. Observers never throw into the code that reports.
 */
export function createObserver<O extends Observation>(logger: Logger, renderings: Renderings<O>): Observe<O> {
  const table = renderings as unknown as Readonly<Record<string, Rendering<O>>>
  return (observation) => {
    const rendering = table[observation.type]!
    rendering.count?.(observation)
    const { type, error: err, ...facts } = observation as Observation & { readonly error?: unknown }
    const line = err === undefined ? { observation: type, ...facts } : { observation: type, ...facts, err }
    logger[rendering.level](line, rendering.text(observation))
  }
}
