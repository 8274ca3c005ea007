import { seededRandom } from '@pando/core/testing/seeded-random'
import { type ClassName, rankOf } from '../classes.ts'
import { createGate, type Gate, type GateOptions } from '../gate.ts'
import { createKinds } from '../kind.ts'
import { Visit } from '../visit.ts'
import { createEventLine, type EventLine } from './event-line.ts'
import { createProcessor, createThread } from './processor.ts'

export type Source = {
  readonly className: ClassName
  /** Requests of a second, at this moment of the simulation. */
  readonly perSecond: (nowMs: number) => number
  /** So many come besides, at the first moment, and each of them again as soon as it has an answer. */
  readonly clients?: number
  /** Mean of the time that one worker has with one request. */
  readonly serviceMs: (nowMs: number) => number
  /** Whether that is what it takes each time, as of a request that sleeps. */
  readonly isEven?: boolean
  /** Who asks; one and the same if not given. */
  readonly caller?: (random: () => number) => string
  /** Workers of its own, with a line of its own before them; those of all if not given. */
  readonly workers?: number
}

export type Simulated = {
  readonly source: number
  readonly caller: string
  readonly atMs: number
  readonly tookMs: number
  readonly isAnswered: boolean
}

export type Simulation = {
  readonly options: GateOptions
  readonly seed: number
  /** What is behind the gate: so many workers, and a line before them that has no end. */
  readonly workers: number
  readonly endMs: number
  /** After so long nobody waits for an answer. */
  readonly deadlineMs: number
  readonly sources: readonly Source[]
  /**
   * All workers and the node itself run on one processor, on which the node works so long for each request that comes
   * and for each answer. Not given, each worker has a processor of its own, and the node takes no time.
   */
  readonly nodeMs?: number
  /** So many other programs keep that processor busy. */
  readonly hogs?: number
  /** Something else than a gate, to show what a simulation finds. */
  readonly toGate?: (gate: Gate) => Gate
}

/** How often those who wait are looked through. */
const lookMs = 5
/** From an answer to the next request of the same client. */
const returnMs = 1

/**
 * Simulates an open loop: requests come at random times whatever happens to those before them. Service times are
 * exponential around their mean, with a least part that is certain.
 */
export function simulate(simulation: Simulation): { readonly requests: readonly Simulated[]; readonly gate: Gate } {
  const { options, workers, endMs, deadlineMs, sources, nodeMs, hogs = 0 } = simulation
  const random = seededRandom(simulation.seed)
  const line = createEventLine()
  const { clock } = line
  const requests: Simulated[] = []
  const kinds = createKinds(16)
  const look = (): void => {
    if (gate.look()) line.at(clock.monotonic() + lookMs, look)
  }
  const { work, handle } = createMachine(line, nodeMs, hogs)
  const onWaiting = (): void => line.at(clock.monotonic() + lookMs, look)
  const plain = createGate({ options, clock, onWaiting })
  const gate = simulation.toGate?.(plain) ?? plain

  const common = createCrew(workers, work)
  const crews = sources.map((source) => (source.workers === undefined ? common : createCrew(source.workers, work)))

  const arrive = (index: number, comesBack = false): void => {
    const source = sources[index]!
    const atMs = clock.monotonic()
    const caller = source.caller?.(random) ?? 'everybody'
    const visit = new Visit(rankOf(source.className), kinds.of(String(index)))
    const effort = source.isEven ? 1 : 0.5 - 0.5 * Math.log(1 - random())
    const serviceMs = (): number => source.serviceMs(clock.monotonic()) * effort
    const record = (isAnswered: boolean): void => {
      requests.push({ source: index, caller, atMs, tookMs: clock.monotonic() - atMs, isAnswered })
      if (comesBack) line.at(clock.monotonic() + returnMs, () => arrive(index, true))
    }
    const answer = (): void => {
      gate.leave(visit, 'answered')
      record(true)
    }
    const begin = (): void => crews[index]!.give({ serviceMs, done: () => handle(answer) })
    handle(() => {
      if (gate.enter(visit)) return begin()
      visit.wait = {
        caller,
        deadlineMs: atMs + deadlineMs,
        isGone: () => false,
        settle: (missed) => (missed === undefined ? begin() : record(false)),
      }
      gate.wait(visit)
    })
  }
  const schedule = (index: number): void => {
    const rate = sources[index]!.perSecond(clock.monotonic())
    // Nobody comes now; see whether somebody does a moment later.
    if (rate === 0) return line.at(clock.monotonic() + 10, () => schedule(index))
    line.at(clock.monotonic() + (-Math.log(1 - random()) * 1000) / rate, () => {
      schedule(index)
      arrive(index)
    })
  }
  sources.forEach(({ clients = 0 }, index) => {
    for (let client = 0; client < clients; client += 1) line.at(0, () => arrive(index, true))
    schedule(index)
  })
  line.runUntil(endMs)
  return { requests, gate }
}

type Job = { readonly serviceMs: () => number; readonly done: () => void }

type Work = (ms: number, done: () => void) => void

type Machine = { work: Work; handle(step: () => void): void }

/** What workers need for their work, and the node for each of its steps. */
function createMachine(line: EventLine, nodeMs: number | undefined, hogs: number): Machine {
  const { clock, at } = line
  if (nodeMs === undefined) return { work: (ms, done) => at(clock.monotonic() + ms, done), handle: (step) => step() }
  const processor = createProcessor(line)
  for (let hog = 0; hog < hogs; hog += 1) processor.run(Number.POSITIVE_INFINITY, () => undefined)
  const node = createThread(processor)
  return { work: processor.run, handle: (step) => node.do(nodeMs, step) }
}

/** So many who work at the same time, and a line before them that has no end. */
function createCrew(workers: number, work: Work): { give(job: Job): void } {
  const inLine: Job[] = []
  let busy = 0
  const begin = (): void => {
    while (busy < workers && inLine.length > 0) {
      const job = inLine.shift()!
      busy += 1
      work(job.serviceMs(), () => {
        busy -= 1
        job.done()
        begin()
      })
    }
  }
  return {
    give(job) {
      inLine.push(job)
      begin()
    },
  }
}
