import type { EventLine } from './event-line.ts'

/** One processor, shared equally among all that run on it at the same time. */
export type Processor = {
  /** Works for so many milliseconds, which take longer the more others run meanwhile. */
  run(ms: number, done: () => void): void
}

type Running = { leftMs: number; readonly done: () => void }

export function createProcessor({ clock, at }: EventLine): Processor {
  const running = new Set<Running>()
  let atMs = 0
  let plans = 0

  /** Those who have run since `atMs` have come so much further. */
  const goOn = (): void => {
    const passedMs = (clock.monotonic() - atMs) / Math.max(1, running.size)
    for (const each of running) each.leftMs -= passedMs
    atMs = clock.monotonic()
  }
  const plan = (): void => {
    if (running.size === 0) return
    const number = (plans += 1)
    let first: Running | undefined
    for (const each of running) if (first === undefined || each.leftMs < first.leftMs) first = each
    if (first!.leftMs === Number.POSITIVE_INFINITY) return
    at(atMs + first!.leftMs * running.size, () => {
      if (number !== plans) return
      goOn()
      running.delete(first!)
      first!.done()
      plan()
    })
  }
  return {
    run(ms, done) {
      goOn()
      running.add({ leftMs: ms, done })
      plan()
    },
  }
}

/** A program with one thread: it does one thing after the other, each on the processor. */
export function createThread(processor: Processor): { do(ms: number, work: () => void): void } {
  const toDo: { readonly ms: number; readonly work: () => void }[] = []
  const next = (): void => {
    const { ms, work } = toDo[0]!
    processor.run(ms, () => {
      toDo.shift()
      work()
      if (toDo.length > 0) next()
    })
  }
  return {
    do(ms, work) {
      toDo.push({ ms, work })
      if (toDo.length === 1) next()
    },
  }
}
