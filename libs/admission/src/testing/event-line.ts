type Event = { readonly atMs: number; readonly number: number; readonly run: () => void }

/** Simulated time: what is to happen, in order. Its clock stands still between events. */
export type EventLine = {
  readonly clock: { now(): number; monotonic(): number }
  at(atMs: number, run: () => void): void
  /** Lets everything happen up to `endMs`. */
  runUntil(endMs: number): void
}

export function createEventLine(): EventLine {
  const heap: Event[] = []
  let nowMs = 0
  let number = 0
  const isBefore = (left: Event, right: Event): boolean =>
    left.atMs === right.atMs ? left.number < right.number : left.atMs < right.atMs
  const swap = (left: number, right: number): void => {
    const kept = heap[left]!
    heap[left] = heap[right]!
    heap[right] = kept
  }
  const rise = (index: number): void => {
    for (let parent = (index - 1) >> 1; index > 0 && isBefore(heap[index]!, heap[parent]!); parent = (index - 1) >> 1) {
      swap(index, parent)
      index = parent
    }
  }
  const sink = (index: number): void => {
    for (;;) {
      const [left, right] = [2 * index + 1, 2 * index + 2]
      let first = index
      if (left < heap.length && isBefore(heap[left]!, heap[first]!)) first = left
      if (right < heap.length && isBefore(heap[right]!, heap[first]!)) first = right
      if (first === index) return
      swap(first, index)
      index = first
    }
  }
  const take = (): Event => {
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      heap[0] = last
      sink(0)
    }
    return first
  }
  return {
    clock: { now: () => nowMs, monotonic: () => nowMs },
    at(atMs, run) {
      heap.push({ atMs: Math.max(atMs, nowMs), number: (number += 1), run })
      rise(heap.length - 1)
    },
    runUntil(endMs) {
      while (heap.length > 0 && heap[0]!.atMs <= endMs) {
        const event = take()
        nowMs = event.atMs
        event.run()
      }
      nowMs = endMs
    },
  }
}
