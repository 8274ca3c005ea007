import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** The factor by which V8 lets it grow: it takes effect at once, unlike the flags that say how large it may get. */
const setGrowthFactor = (factor: 1 | 2): void => setFlagsFromString(`--semi-space-growth-factor=${factor}`)

/**
 * V8 doubles its young generation whenever much of it survives, as all does while modules are loaded, and does not give
 * it back: some 20 MB that a server which has nothing to do would hold. So it stays small until the server listens.
 *
 * Nor may it be passed by: where most objects of one line of code survived for a while, as those of requests that wait do in
 * a rush, V8 makes them in the old generation from then on, where what a request leaves behind grew to 100 MB in a minute.
 */
export function keepYoungGenerationSmall(): void {
  setGrowthFactor(1)
  setFlagsFromString('--no-allocation-site-pretenuring')
}

/**
 * It does not double any more when it has this size. Twice as much, which V8 would take, saves 4 % of the processor time of
 * a small request, and makes the pauses longer in which everybody waits.
 */
const enoughBytes = 20 * 1024 ** 2
const lookMs = 500
let timer: NodeJS.Timeout | undefined

/** From now on it grows: under load that is what keeps garbage cheap. */
export function letYoungGenerationGrow(): void {
  const adjust = (): void => setGrowthFactor(readYoungBytes() < enoughBytes ? 2 : 1)
  adjust()
  timer ??= setInterval(adjust, lookMs).unref()
}

/** So many bytes it has. */
export function readYoungBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')?.space_size ?? 0
}
