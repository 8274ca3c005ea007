import type { Caller } from '@pando/core/caller'
import type { Delivery } from './change-run.ts'
import type { Binding } from './choose-bindings.ts'
import { createLane, type Lane } from './lane.ts'
import type { Prepared } from './prepare-request.ts'

/** What one join follows. */
export type Subscription = {
  /** In the join's order, each with the id that it has on the wire. */
  readonly bindings: readonly { readonly id: number; readonly prepared: Prepared }[]
  readonly caller: Caller
  /** Called in commit order. One change may come several times, with other ids, where requests select other columns. */
  readonly deliver: (delivery: Delivery) => void
  /** Changes were left out: the phone has to fetch again. */
  readonly lose: (reason: 'check-failed' | 'too-many-pending') => void
  /** It cannot be followed any more, and is removed; the message is what a new request would be refused with. */
  readonly refuse: (message: string) => void
}

/** A subscription as the fan-out has it. */
export type Subscriber = {
  readonly subscription: Subscription
  caller: Caller
  /** How often the caller has become another one. */
  claimsCount: number
  readonly entries: readonly Entry[]
  readonly lane: Lane<Delivery>
}
export type Entry = Binding & { readonly subscriber: Subscriber }

type SubscriberDeps = { readonly pendingMax: number; readonly generation: () => number }

export function createSubscriber(subscription: Subscription, { pendingMax, generation }: SubscriberDeps): Subscriber {
  const entries: Entry[] = []
  const { deliver, lose, caller } = subscription
  const subscriber: Subscriber = {
    subscription,
    caller,
    claimsCount: 0,
    entries,
    lane: createLane({ deliver, lose, pendingMax, generation: () => generation() + subscriber.claimsCount }),
  }
  for (const { id, prepared } of subscription.bindings) {
    for (const part of prepared.parts) entries.push({ id, ...part, subscriber })
  }
  return subscriber
}
