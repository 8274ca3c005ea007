import { type ClassName, rankOf } from '../classes.ts'
import { createGate, type Gate, type GateOptions } from '../gate.ts'
import { createProfiles } from '../profile.ts'
import { Visit } from '../visit.ts'
import { createEventLine } from './event-line.ts'
import { seededRandom } from './random.ts'

export type Source = {
  readonly className: ClassName
  /** Requests of a second, at this moment of the simulation. */
  readonly perSecond: (nowMs: number) => number
  /** Mean of the time that one worker has with one request. */
  readonly serviceMs: (nowMs: number) => number
  /** Who asks; one and the same if not given. */
  readonly caller?: (random: () => number) => string
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
  /** Something else than a gate, to show what a simulation finds. */
  readonly toGate?: (gate: Gate) => Gate
}

/** How often those who wait are looked through. */
const lookMs = 5

/**
 * Simulates an open loop: requests come at random times whatever happens to those before them. Service times are
 * exponential around their mean, with a least part that is certain.
 */
export function simulate(simulation: Simulation): { readonly requests: readonly Simulated[]; readonly gate: Gate } {
  const { options, workers, endMs, deadlineMs, sources } = simulation
  const random = seededRandom(simulation.seed)
  const line = createEventLine()
  const { clock } = line
  const requests: Simulated[] = []
  const profiles = createProfiles(16)
  const inLine: { readonly serviceMs: number; readonly done: () => void }[] = []
  let busy = 0

  const look = (): void => {
    if (gate.look()) line.at(clock.monotonic() + lookMs, look)
  }
  const plain = createGate({ options, clock, onWaiting: () => line.at(clock.monotonic() + lookMs, look) })
  const gate = simulation.toGate?.(plain) ?? plain

  const work = (): void => {
    while (busy < workers && inLine.length > 0) {
      const job = inLine.shift()!
      busy += 1
      line.at(clock.monotonic() + job.serviceMs, () => {
        busy -= 1
        job.done()
        work()
      })
    }
  }
  const arrive = (index: number): void => {
    const source = sources[index]!
    const atMs = clock.monotonic()
    const caller = source.caller?.(random) ?? 'everybody'
    const visit = new Visit(rankOf(source.className), profiles.of(String(index)))
    const serviceMs = source.serviceMs(atMs) * (0.5 - 0.5 * Math.log(1 - random()))
    const record = (isAnswered: boolean): void => {
      requests.push({ source: index, caller, atMs, tookMs: clock.monotonic() - atMs, isAnswered })
    }
    const begin = (): void => {
      inLine.push({
        serviceMs,
        done: () => {
          gate.leave(visit, 'answered')
          record(true)
        },
      })
      work()
    }
    if (gate.enter(visit)) return begin()
    visit.wait = {
      caller,
      deadlineMs: atMs + deadlineMs,
      isGone: () => false,
      settle: (missed) => (missed === undefined ? begin() : record(false)),
    }
    gate.wait(visit)
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
  sources.forEach((_source, index) => schedule(index))
  line.runUntil(endMs)
  return { requests, gate }
}
