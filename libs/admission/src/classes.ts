/** How important a request is, most important first. Under overload the last ones are refused first. */
export const classNames = ['critical', 'writes', 'reads', 'bulk', 'analytics'] as const
export type ClassName = (typeof classNames)[number]

export type PriorityClass = {
  readonly name: ClassName
  /** Share of the limit that this class and those below it may fill; the rest is the reserve of the classes above. */
  readonly share: number
  /** How many times `waitMs` its requests wait for a place in a burst. */
  readonly waits: number
  /** How many times `standingWaitMs` they wait when there is lastingly more to do than can be done. */
  readonly waitsStanding: number
}

/** The table of priorities. A request that must not fail may wait; one that will be sent again anyway need not. */
export const priorityClasses: readonly PriorityClass[] = [
  { name: 'critical', share: 1, waits: 2, waitsStanding: 200 },
  { name: 'writes', share: 0.95, waits: 1, waitsStanding: 1.5 },
  { name: 'reads', share: 0.9, waits: 1, waitsStanding: 1 },
  { name: 'bulk', share: 0.7, waits: 1, waitsStanding: 1 },
  { name: 'analytics', share: 0.5, waits: 0.5, waitsStanding: 0.5 },
]

/** The place of a class in the table. */
export function rankOf(name: ClassName): number {
  return classNames.indexOf(name)
}
