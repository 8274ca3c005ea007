import fc from 'fast-check'

/** Random choices that a seed repeats. */
export type Dice = {
  /** A whole number from `min` to `max`, both included. */
  number(min: number, max: number): number
  /** True in about `percent` of a hundred cases. */
  chance(percent: number): boolean
  of<T>(items: readonly T[]): T
  /** Some of the items, in their order. */
  some<T>(items: readonly T[], percent: number): T[]
  times<T>(count: number, make: (index: number) => T): T[]
}

/** Each number is as likely as any other: left alone, fast-check prefers those near the ends. */
const even = (max: number): fc.Arbitrary<number> => fc.noBias(fc.nat(max))

/** Dice of a seed, thrown by fast-check. */
export function createDice(seed: number): Dice {
  const [draw] = fc.sample(fc.gen(), { seed, numRuns: 1 })
  const number = (min: number, max: number): number => draw!(even, max - min) + min
  const chance = (percent: number): boolean => draw!(even, 99) < percent
  return {
    number,
    chance,
    of: (items) => items[number(0, items.length - 1)]!,
    some: (items, percent) => items.filter(() => chance(percent)),
    times: (count, make) => Array.from({ length: count }, (_, index) => make(index)),
  }
}

/** `PANDO_TEST_SEED` repeats a run; otherwise each run has its own seed, which failures print. */
export function seedOfRun(environment: NodeJS.ProcessEnv): number {
  const given = environment['PANDO_TEST_SEED']
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
}
