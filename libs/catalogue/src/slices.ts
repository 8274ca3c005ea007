import { setImmediate } from 'node:timers/promises'
import { systemClock } from '@pando/core/clock'
import type { Clock } from '@pando/core/clock'

/**
 * Work that may be interrupted wherever it yields. Written as plain loops with a `yield` per item, it can be run in one
 * go by a test and in slices by a server.
 */
export type Sliced<T> = Generator<void, T, void>

/** Time between two turns of the event loop; what waits is a request. */
const sliceMs = 4

/** Steps take some ten microseconds, so that asking for the time at each of them would cost as much as they do. */
const stepsPerLook = 8

/** Runs the work to its end and lets the event loop turn whenever a slice is over. */
export async function runInSlices<T>(work: Sliced<T>, clock: Clock = systemClock): Promise<T> {
  let sliceEndsAt = clock.monotonic() + sliceMs
  for (let steps = 1; ; steps++) {
    const step = work.next()
    if (step.done === true) return step.value
    if (steps % stepsPerLook !== 0 || clock.monotonic() < sliceEndsAt) continue
    await setImmediate()
    sliceEndsAt = clock.monotonic() + sliceMs
  }
}

/** Runs the work in one go. */
export function runAtOnce<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done === true) return step.value
  }
}

/** Like `Map.groupBy`, in slices. */
export function* groupInSlices<Key, Item>(items: Iterable<Item>, keyOf: (item: Item) => Key): Sliced<Map<Key, Item[]>> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
    yield
  }
  return groups
}

/** Like `Array.map`, in slices. */
export function* mapInSlices<Item, Result>(items: Iterable<Item>, toResult: (item: Item) => Result): Sliced<Result[]> {
  const results: Result[] = []
  for (const item of items) {
    results.push(toResult(item))
    yield
  }
  return results
}
