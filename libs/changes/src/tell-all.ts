import type { Observe } from './observation.ts'

/** Calls each of them; one that throws harms nobody else. */
export function tellAll<To>(all: Iterable<To>, call: (one: To) => void, observe: Observe): void {
  for (const one of all) {
    try {
      call(one)
    } catch (cause) {
      observe({ kind: 'listener.failed', cause })
    }
  }
}
