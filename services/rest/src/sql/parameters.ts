import type { ParameterSource } from '../compiled.ts'

/** Collects the parameters of one statement while its text is written. */
export type Parameters = {
  readonly sources: readonly ParameterSource[]
  /** Adds a parameter and returns its `$n`. Each use gets its own, so that Postgres infers each type from its place. */
  readonly add: (source: ParameterSource) => string
}

export function createParameters(): Parameters {
  const sources: ParameterSource[] = []
  return {
    sources,
    add: (source) => `$${sources.push(source)}`,
  }
}
