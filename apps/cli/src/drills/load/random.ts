/** One of them. */
export function pick<T>(items: readonly T[], random: () => number): T {
  return items[Math.floor(random() * items.length)]!
}

/** So much later comes the next of `perSecond` independent arrivals, in milliseconds (a Poisson process). */
export function gapMs(perSecond: number, random: () => number): number {
  return (-Math.log(1 - random()) * 1000) / perSecond
}
