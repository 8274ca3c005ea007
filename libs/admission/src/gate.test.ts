import { readConfiguration } from '@pando/config/read-configuration'
import { describe, expect, it } from 'vitest'
import { admissionOptions, toGateOptions } from './config.ts'
import type { Gate } from './gate.ts'
import { type Simulated, type Simulation, simulate, type Source } from './testing/simulate.ts'

const options = toGateOptions(readConfiguration({ admission: admissionOptions }, {}).admission)
const seeds = [1, 2, 3]
const second = 1000
const spike = { fromMs: 10 * second, toMs: 70 * second, endMs: 80 * second }

/** What so many workers do in a second. */
const capacity = (workers: number, serviceMs: number): number => (workers * second) / serviceMs

/** The usual mixture, offered at half of what can be done, then at ten times as much as can be, then at half again. */
function spikeOn({ workers, serviceMs }: { workers: number; serviceMs: number }): Omit<Simulation, 'seed'> {
  const offered = (share: number) => (nowMs: number) =>
    share * capacity(workers, serviceMs) * (nowMs >= spike.fromMs && nowMs < spike.toMs ? 10 : 0.5)
  const source = (className: Source['className'], share: number): Source => ({
    className,
    perSecond: offered(share),
    serviceMs: () => serviceMs,
    caller: (random) => `user ${Math.floor(random() * 500)}`,
  })
  const sources = [
    source('critical', 0.05),
    source('writes', 0.15),
    source('reads', 0.65),
    source('bulk', 0.05),
    source('analytics', 0.1),
  ]
  return { options, workers, endMs: spike.endMs, deadlineMs: 10 * second, sources }
}

const between = (requests: readonly Simulated[], fromMs: number, toMs: number): Simulated[] =>
  requests.filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
const answered = (requests: readonly Simulated[]): Simulated[] => requests.filter(({ isAnswered }) => isAnswered)
const refused = (requests: readonly Simulated[]): Simulated[] => requests.filter(({ isAnswered }) => !isAnswered)
const shareAnswered = (requests: readonly Simulated[]): number => answered(requests).length / requests.length
const bySource = (requests: readonly Simulated[], index: number): Simulated[] =>
  requests.filter(({ source }) => source === index)
function percentile(requests: readonly Simulated[], share: number): number {
  const times = requests.map(({ tookMs }) => tookMs).sort((left, right) => left - right)
  return times[Math.floor(times.length * share)] ?? 0
}

/** Answers that came while somebody waited for them, of those that were asked for in the spike. */
function goodput(requests: readonly Simulated[], deadlineMs: number): number {
  const good = answered(between(requests, spike.fromMs, spike.toMs)).filter(({ tookMs }) => tookMs <= deadlineMs)
  return good.length / ((spike.toMs - spike.fromMs) / second)
}

const systems = [
  { workers: 4, serviceMs: 20 },
  { workers: 4, serviceMs: 10 },
  { workers: 24, serviceMs: 50 },
  { workers: 16, serviceMs: 200 },
]

describe.each(systems)('ten times what $workers workers with $serviceMs ms can do', (system) => {
  it.each(seeds.slice(1))('is cut down to what they can do well, with dice %i', (seed) => {
    const { requests } = simulate({ ...spikeOn(system), seed })
    const before = between(requests, 5 * second, spike.fromMs)
    const during = between(requests, spike.fromMs, spike.toMs)
    const after = between(requests, spike.toMs + 5 * second, spike.endMs)
    const peak = capacity(system.workers, system.serviceMs)
    const unloadedP99Ms = percentile(before, 0.99)

    expect(shareAnswered(before)).toBeGreaterThan(0.99)
    expect(goodput(requests, 10 * second)).toBeGreaterThanOrEqual(0.95 * peak)
    expect(shareAnswered(bySource(during, 0))).toBeGreaterThanOrEqual(0.999)
    expect(shareAnswered(bySource(during, 1))).toBeGreaterThan(shareAnswered(bySource(during, 2)))
    expect(shareAnswered(bySource(during, 2))).toBeGreaterThanOrEqual(shareAnswered(bySource(during, 4)))
    expect(percentile(answered(during), 0.99)).toBeLessThanOrEqual(3 * unloadedP99Ms)
    expect(percentile(refused(during), 0.99)).toBeLessThanOrEqual(20)
    expect(shareAnswered(after)).toBeGreaterThan(0.99)
    expect(percentile(answered(after), 0.99)).toBeLessThanOrEqual(1.5 * unloadedP99Ms)
  })
})

it.each(seeds)('a spike is cut down where reads and writes have workers of their own, with dice %i', (seed) => {
  // The quick ones answer first; whoever believes them alone lets in more and more who then stand before the others.
  const offered = (share: number) => (nowMs: number) => share * (nowMs >= spike.fromMs && nowMs < spike.toMs ? 500 : 50)
  const source = (className: Source['className'], share: number, workers: number): Source => ({
    className,
    perSecond: offered(share),
    serviceMs: () => 100,
    caller: (random) => `user ${Math.floor(random() * 500)}`,
    workers,
  })
  const sources = [source('critical', 0.02, 8), source('writes', 0.12, 16), source('reads', 0.76, 8)]
  const { requests } = simulate({ ...spikeOn({ workers: 1, serviceMs: 1 }), sources, seed })
  const [before, during] = [between(requests, 5 * second, spike.fromMs), between(requests, spike.fromMs, spike.toMs)]
  expect(shareAnswered(bySource(during, 0))).toBe(1)
  expect(percentile(answered(during), 0.99)).toBeLessThanOrEqual(3 * percentile(answered(before), 0.99))
  expect(answered(bySource(during, 2)).length / 60).toBeGreaterThan(0.75 * capacity(8, 100))
})

it.each(seeds)('a spike that meets a node which knows nothing yet is cut down too, with dice %i', (seed) => {
  const system = { workers: 4, serviceMs: 20 }
  const cold = spikeOn(system).sources.map((source) => ({ ...source, perSecond: () => source.perSecond(spike.fromMs) }))
  const { requests } = simulate({ ...spikeOn(system), sources: cold, endMs: 40 * second, seed })
  const late = between(requests, 20 * second, 40 * second)
  expect(answered(late).length / 20).toBeGreaterThanOrEqual(0.95 * capacity(4, 20))
  expect(percentile(answered(late), 0.99)).toBeLessThanOrEqual(150)
})

it.each(seeds)('requests that become three times as slow are the new normal, with dice %i', (seed) => {
  const steady: Source = { className: 'reads', perSecond: () => 300, serviceMs: (nowMs) => (nowMs < 20_000 ? 10 : 30) }
  const { requests } = simulate({
    options,
    seed,
    workers: 16,
    endMs: 60 * second,
    deadlineMs: 10 * second,
    sources: [steady],
  })
  expect(shareAnswered(between(requests, 30 * second, 60 * second))).toBeGreaterThan(0.99)
})

describe('a caller who asks fifty times as often as the others', () => {
  const polite = 40
  const hogAnd = (hogPerSecond: number): readonly Source[] => [
    {
      className: 'reads',
      perSecond: () => 6 * polite,
      serviceMs: () => 20,
      caller: (random) => `user ${Math.floor(random() * polite)}`,
    },
    { className: 'reads', perSecond: () => hogPerSecond, serviceMs: () => 20, caller: () => 'hog' },
  ]
  it.each(seeds)('gets no more than its share, and the others hardly notice, with dice %i', (seed) => {
    const run = (hogPerSecond: number): readonly Simulated[] => {
      const sources = hogAnd(hogPerSecond)
      const found = simulate({ options, seed, workers: 4, endMs: 40 * second, deadlineMs: 5 * second, sources })
      return between(found.requests, 10 * second, 40 * second)
    }
    const requests = run(300)
    const politeServed = answered(bySource(requests, 0)).length
    const hogServed = answered(bySource(requests, 1)).length
    const alone = answered(bySource(run(0.001), 0)).length
    expect(hogServed).toBeLessThanOrEqual((2 * (politeServed + hogServed)) / (polite + 1))
    expect(politeServed).toBeGreaterThan(0.93 * alone)
  })
})

it.each(seeds)('who is alone gets everything, and goes on to when others have gone, with dice %i', (seed) => {
  const sources: readonly Source[] = [
    { className: 'reads', perSecond: () => 1000, serviceMs: () => 20, caller: () => 'hog' },
    {
      className: 'reads',
      perSecond: (nowMs) => (nowMs > 10_000 && nowMs < 20_000 ? 400 : 0),
      serviceMs: () => 20,
      caller: (random) => `user ${Math.floor(random() * 100)}`,
    },
  ]
  const { requests } = simulate({ options, seed, workers: 4, endMs: 30_000, deadlineMs: 5000, sources })
  const everySecond = Array.from({ length: 25 }, (_, index) =>
    between(requests, (index + 4) * second, (index + 5) * second),
  )
  for (const within of everySecond) expect(answered(within).length).toBeGreaterThan(0.8 * capacity(4, 20))
  expect(answered(bySource(between(requests, 20_000, 22_000), 0)).length).toBeGreaterThan(1.5 * capacity(4, 20))
})

it.each(seeds)('a burst after a quiet hour is worked off, with dice %i', (seed) => {
  const source = (perSecond: Source['perSecond']): Source => ({ className: 'reads', perSecond, serviceMs: () => 10 })
  const rush = source((nowMs) => (nowMs >= 20_000 && nowMs < 20_050 ? 1500 : 0))
  const sources = [source(() => 1), rush]
  const { requests } = simulate({ options, seed, workers: 8, endMs: 30_000, deadlineMs: 5000, sources })
  expect(requests.length).toBeGreaterThan(50)
  expect(refused(requests)).toEqual([])
})

describe('a node that has just started', () => {
  // Code is compiled and connections are made meanwhile.
  const coldly = (nowMs: number): number => (nowMs < 300 ? 100 : 5)
  const crowd: Source = {
    className: 'writes',
    perSecond: (nowMs) => (nowMs < 100 ? 2000 : 0),
    serviceMs: coldly,
    caller: (random) => `user ${Math.floor(random() * 50)}`,
  }
  it.each(seeds)('works off a burst of two hundred, with dice %i', (seed) => {
    const { requests } = simulate({ options, seed, workers: 8, endMs: 5000, deadlineMs: 5000, sources: [crowd] })
    expect(requests.length).toBeGreaterThan(150)
    expect(refused(requests)).toEqual([])
  })
})

describe('a machine that is short of processor time every other moment', () => {
  const starved = (nowMs: number): number => (nowMs % 700 < 400 ? 60 : 6)
  const clients: Source = { className: 'reads', perSecond: () => 0, clients: 16, serviceMs: starved }
  it.each(seeds)('refuses none of a few clients who wait for their answers, with dice %i', (seed) => {
    const { requests } = simulate({ options, seed, workers: 2, endMs: 30_000, deadlineMs: 5000, sources: [clients] })
    expect(requests.length).toBeGreaterThan(1000)
    expect(refused(requests)).toEqual([])
  })
})

describe('many requests that sleep for seconds', () => {
  const sleepers = (clients: number): Source => ({
    className: 'reads',
    perSecond: () => 0,
    clients,
    serviceMs: () => 4 * second,
    isEven: true,
    workers: 1000,
  })
  const quick: Source = { className: 'reads', perSecond: () => 50, serviceMs: () => 5, caller: () => 'another' }
  it.each([40, 400])('leave places to quick ones, with %i of them', (clients) => {
    const sources = [sleepers(clients), quick]
    const { requests, gate } = simulate({
      options,
      seed: 1,
      workers: 4,
      endMs: 20 * second,
      deadlineMs: 10_000,
      sources,
    })
    const of = bySource(requests, 1)
    expect(refused(of)).toEqual([])
    expect(percentile(between(of, 0, 2 * second), 1)).toBeLessThan(1.2 * second)
    expect(percentile(between(of, 2 * second, 20 * second), 0.99)).toBeLessThan(50)
    expect(gate.state().slow.inFlight).toBeLessThanOrEqual(options.slowMax)
  })
})

it.each(seeds)('twice what can be done is refused soon, with dice %i', (seed) => {
  const twice = (nowMs: number): number => capacity(4, 20) * (nowMs < 5 * second ? 0.5 : 2)
  const source: Source = {
    className: 'reads',
    perSecond: twice,
    serviceMs: () => 20,
    caller: (random) => `user ${Math.floor(random() * 500)}`,
  }
  const { requests } = simulate({
    options,
    seed,
    workers: 4,
    endMs: 20 * second,
    deadlineMs: 10_000,
    sources: [source],
  })
  const during = between(requests, 5 * second, 20 * second)
  expect(percentile(refused(during), 0.99)).toBeLessThan(300)
  expect(percentile(answered(during), 0.99)).toBeLessThan(300)
  expect(answered(during).length / 15).toBeGreaterThan(0.95 * capacity(4, 20))
})

describe('a spike on connections of their own for reads and for writes, each of which sleeps', () => {
  it.each(seeds)('is cut down to what they can do well, with dice %i', (seed) => {
    const offered = (share: number) => (nowMs: number) =>
      share * (nowMs < 10 * second ? 50 : nowMs < 40 * second ? 1000 : 50)
    const source = (className: Source['className'], share: number, workers: number): Source => ({
      className,
      perSecond: offered(share),
      serviceMs: () => 100,
      isEven: true,
      caller: (random) => `user ${Math.floor(random() * 200)}`,
      workers,
    })
    const sources = [source('critical', 0.04, 8), source('writes', 0.12, 16), source('reads', 0.84, 8)]
    const { requests } = simulate({ options, seed, workers: 1, endMs: 50 * second, deadlineMs: 10_000, sources })
    const during = between(requests, 10 * second, 40 * second)
    expect(shareAnswered(bySource(during, 0))).toBe(1)
    expect(percentile(refused(during), 0.99)).toBeLessThanOrEqual(20)
    expect(answered(bySource(during, 2)).length / 30).toBeGreaterThanOrEqual(0.95 * capacity(8, 100))
    expect(percentile(answered(during), 0.99)).toBeLessThanOrEqual(
      3 * percentile(between(requests, 0, 10 * second), 0.99),
    )
    expect(shareAnswered(between(requests, 45 * second, 50 * second))).toBe(1)
  })
})

it.each(seeds)(
  'ninety a second on a machine that is short of processor time are all answered, with dice %i',
  (seed) => {
    const starved = (nowMs: number): number => (nowMs % 700 < 400 ? 30 : 6)
    const source: Source = { className: 'reads', perSecond: () => 90, serviceMs: starved }
    const { requests } = simulate({
      options,
      seed,
      workers: 2,
      endMs: 30 * second,
      deadlineMs: 10_000,
      sources: [source],
    })
    expect(refused(requests)).toEqual([])
  },
)

describe('a spike where the node and all that it asks share one processor', () => {
  const [perSecond, serviceMs, nodeMs] = [20, 38, 0.2]
  const offered = (nowMs: number): number => {
    if (nowMs >= spike.fromMs) return nowMs < spike.toMs ? 10 : 0.5
    return nowMs < spike.fromMs / 2 ? 0.5 : 1
  }
  const source = (className: Source['className'], share: number): Source => ({
    className,
    perSecond: (nowMs) => share * perSecond * offered(nowMs),
    serviceMs: () => serviceMs,
    isEven: true,
    caller: (random) => `user ${Math.floor(random() * 200)}`,
  })
  const sources = [source('critical', 0.04), source('writes', 0.12), source('reads', 0.74), source('bulk', 0.1)]
  const common = { options, workers: 16, nodeMs, endMs: 80 * second, deadlineMs: 2 * second, sources }
  /** What is left of a second for work, when each of those who come has been looked at. */
  const most = (second - 10 * perSecond * nodeMs) / (serviceMs + nodeMs)

  it.each(seeds)('is cut down to what it can do well, with dice %i', (seed) => {
    const { requests } = simulate({ ...common, seed })
    const [before, during] = [between(requests, 0, spike.fromMs / 2), between(requests, spike.fromMs, spike.toMs)]
    expect(goodput(requests, 2 * second)).toBeGreaterThanOrEqual(0.95 * most)
    expect(shareAnswered(bySource(during, 0))).toBe(1)
    // It begins with twenty at once, which take twenty times as long, and lets few wait, whatever that takes.
    const learned = between(requests, spike.fromMs + 6 * second, spike.toMs)
    expect(percentile(answered(learned), 0.99)).toBeLessThanOrEqual(3 * percentile(answered(before), 0.99))
    expect(percentile(refused(learned), 0.99)).toBeLessThanOrEqual(30)
    expect(shareAnswered(between(requests, spike.toMs + 5 * second, spike.endMs))).toBeGreaterThan(0.95)
  })

  it('which a limit that does not shrink does not survive', () => {
    const fixed = { ...options, latencyFactor: 1e9, limitMin: 20, limitMax: 20 }
    const { requests } = simulate({ ...common, options: fixed, seed: 1 })
    const during = answered(between(requests, spike.fromMs, spike.toMs))
    expect(percentile(during, 0.5)).toBeGreaterThan(10 * serviceMs)
  })
})

it('a door without a limit is found out by the same figures', () => {
  const system = { workers: 4, serviceMs: 20 }
  const letAllIn = (gate: Gate): Gate => ({ ...gate, enter: (visit) => ((visit.isInside = true), true) })
  const { requests } = simulate({ ...spikeOn(system), seed: 1, toGate: letAllIn })
  expect(goodput(requests, 2 * second)).toBeLessThan(0.5 * capacity(4, 20))
  const during = between(requests, spike.fromMs, spike.toMs)
  expect(percentile(answered(during), 0.99)).toBeGreaterThan(10 * second)
})

it('a queue without an end is found out by the same figures', () => {
  const system = { workers: 4, serviceMs: 80 }
  const endless = { ...options, queueMax: 1e9, waitMs: 1e9, standingWaitMs: 1e9 }
  const { requests } = simulate({ ...spikeOn(system), seed: 1, options: endless, endMs: spike.toMs })
  expect(goodput(requests, 2 * second)).toBeLessThan(0.95 * capacity(4, 80))
})
