import type { HttpService } from '@pando/http/service'
import type { TurnAway } from './turn-away.ts'

/** Turns away whom the service has no answer at hand for. */
export function orAnswerInstead(turnAway: TurnAway, handleShed: HttpService['handleShed']): TurnAway {
  if (handleShed === undefined) return turnAway
  return (request, reply, headers) => {
    if (!handleShed(request, reply)) turnAway(request, reply, headers)
  }
}
