import type { Check } from './drill.ts'
import { shareAnswered, toPercent } from './load/figures.ts'
import { noAnswer } from './load/http-client.ts'
import type { Sent } from './load/open-loop.ts'
import type { Losses } from './losses.ts'

/** A count that must be 0, however busy the machine is. */
export const none = (name: string, figure: number): Check => ({ name, figure, unit: '', most: 0, isTimed: false })

/** That so many of what was asked for was answered: nobody was turned away either. */
export const checkAnswered = (name: string, sent: readonly Sent[]): Check => ({
  name,
  figure: toPercent(shareAnswered(sent)),
  unit: '%',
  least: 99.9,
  isTimed: true,
})

/** That no answer was an error, except to come back, and no connection broke. */
export const checkFailures = (sent: readonly Sent[]): Check =>
  none(
    'errors and broken connections',
    sent.filter(({ outcome, why }) => outcome === 'failed' && why !== noAnswer).length,
  )

/** That everybody was served: nobody was told to come back, or not answered in time. */
export const checkTurnedAway = (sent: readonly Sent[]): Check => ({
  ...none(
    'told to come back, or not answered in time',
    sent.filter(({ outcome, why }) => outcome === 'refused' || why === noAnswer).length,
  ),
  isTimed: true,
})

/** That nothing of what was acknowledged is gone, and nothing was done twice. */
export const checkWrites = ({ lostWrites, doubledWrites }: Losses): Check[] => [
  none('acknowledged writes that are lost', lostWrites),
  none('writes done twice', doubledWrites),
]

/** That everybody who follows has everything once. */
export const checkEvents = ({ missingEvents, doubledEvents, falseEvents }: Losses): Check[] => [
  none('events that followers miss', missingEvents),
  none('events told twice', doubledEvents),
  none('events of what never happened', falseEvents),
]
