import type { Change, Transaction } from '@pando/changes/change'
import type { Caller } from '@pando/core/caller'
import type { Clock } from '@pando/core/clock'
import type { RealtimeOptions } from '../config.ts'
import { createAccessWatch } from '@pando/catalogue/policies/access-watch'
import type { Delivery } from './change-run.ts'
import type { Binding } from './choose-bindings.ts'
import { decideMissed } from './decide-missed.ts'
import type { ChangesObservation, ChangesPort } from './deps.ts'
import { findMissed, type Missed } from './find-missed.ts'
import type { Outcome } from './lane.ts'
import { after } from './maybe.ts'
import { createPatientPort } from './patient-port.ts'
import { createPreparations, findRefusal, type Prepared } from './prepare-request.ts'
import type { ChangeRequest } from './request.ts'
import { createRowChecks } from './row-checks.ts'
import { createRuns } from './runs.ts'
import { toValues } from './seen-values.ts'
import { createSubscriber, type Entry, type Subscriber, type Subscription } from './subscriber.ts'
import { createSubscriptionIndex, toChangeKind } from './subscription-index.ts'
import { createTablePlans } from './table-plans.ts'

export type Handle = Pick<Subscriber, 'subscription'>

export type ChangeFanOutDeps = {
  readonly port: ChangesPort
  readonly clock: Pick<Clock, 'monotonic'>
  readonly options: Pick<
    RealtimeOptions,
    | 'undecidedDeletes'
    | 'changesPendingMax'
    | 'policyChecksMax'
    | 'policyCheckCallersMax'
    | 'policyQuestionsMax'
    | 'accessInterval'
  >
  readonly observe: (observation: ChangesObservation) => void
}

/** Tells subscribers of row changes that they ask for and may see. */
export type ChangeFanOut = {
  /** Checks a request against the database, before `add`. Rejects with `SubscriptionRefused`. */
  prepare(request: ChangeRequest, caller: Caller): Promise<Prepared>
  /** Gets every change that comes after this call. */
  add(subscription: Subscription): Handle
  remove(handle: Handle): void
  /** From the next decision on the subscriber is this caller; what waits for one is decided anew. */
  updateClaims(handle: Handle, caller: Caller): void
  /** Tells one subscriber what it missed; right after `add`, so that newer changes come after it. */
  replay(handle: Handle, changes: readonly Change[]): void
  onTransaction(transaction: Pick<Transaction, 'changes'> & Partial<Pick<Transaction, 'xid'>>): void
  /**
   * Policies, privileges or tables may have changed: everything is looked up anew, and what waits is decided anew. `xid` is the
   * transaction that did it, where that is known.
   */
  forget(xid?: number): void
  /** Refuses who follows a table whose changes are not in the log any more, since its rows are on other servers. */
  refuseElsewhere(): Promise<void>
  /** The log begins anew, maybe on another server. Who follows has to fetch again anyway, so nothing that waits is told. */
  restart(): void
  /** Of one subscriber, changes that wait for a decision. */
  pending(handle: Handle): number
  /** Subscribers, and changes that wait for a decision. */
  counts(): { readonly subscribers: number; readonly pending: number }
}

export function createChangeFanOut({ port, clock, options, observe }: ChangeFanOutDeps): ChangeFanOut {
  const { undecidedDeletes, changesPendingMax: pendingMax } = options
  const patient = createPatientPort(port, observe)
  const plans = createTablePlans(patient)
  const checks = createRowChecks({
    port: patient,
    checksInFlightMax: options.policyChecksMax,
    checkCallersMax: options.policyCheckCallersMax,
    checkQueueMax: options.policyQuestionsMax,
    observe,
  })
  const preparations = createPreparations(port)
  const index = createSubscriptionIndex<Entry>()
  const subscribers = new Map<Handle, Subscriber>()
  const forget = (xid?: number): void => {
    preparations.forget()
    plans.forget(xid)
  }
  const access = createAccessWatch({
    readAccess: patient.readAccess,
    clock,
    intervalMs: options.accessInterval,
    onChanged: () => forget(),
  })

  const runs = createRuns({ plans, checks, undecidedDeletes, sharedMs: 2 * options.accessInterval })

  const tell = (change: Change, told: ReadonlyMap<Subscriber, readonly Binding[]>, xid?: number): void => {
    if (told.size === 0) return
    const confirmed = access.confirm()
    const runOf = runs.forNew(change, xid)
    for (const [subscriber, bindings] of told) {
      const { lane } = subscriber
      lane.push(() => decide(() => after(confirmed, () => runOf().decide(subscriber.caller, bindings))))
    }
  }
  const tellMissed = (subscriber: Subscriber, missed: readonly Missed<Entry>[]): void => {
    const decideOne = ({ change, bindings }: Missed<Entry>) =>
      runs.forMissed(change).decide(subscriber.caller, bindings)
    subscriber.lane.push(() => decide(() => after(access.confirm(), () => decideMissed(missed, decideOne))))
  }
  const findTold = (change: Change): ReadonlyMap<Subscriber, readonly Entry[]> => {
    const found = new Map<Subscriber, Entry[]>()
    const kind = toChangeKind(change)
    if (kind === undefined) return found
    index.visit(change.relation, kind, toValues(change), (entry) => {
      const entries = found.get(entry.subscriber)
      if (entries === undefined) found.set(entry.subscriber, [entry])
      else if (!entries.includes(entry)) entries.push(entry)
    })
    return found
  }

  const remove = (handle: Handle): void => {
    const subscriber = subscribers.get(handle)
    if (subscriber === undefined) return
    subscribers.delete(handle)
    subscriber.lane.close()
    for (const entry of subscriber.entries) index.remove(entry)
    if (subscribers.size === 0) access.end()
  }

  return {
    prepare: preparations.prepare,
    add(subscription) {
      const subscriber = createSubscriber(subscription, { pendingMax, generation: plans.generation })
      for (const entry of subscriber.entries) index.add(entry)
      subscribers.set(subscriber, subscriber)
      access.begin()
      return subscriber
    },
    remove,
    updateClaims(handle, caller) {
      const subscriber = subscribers.get(handle)
      if (subscriber === undefined) return
      subscriber.caller = caller
      subscriber.claimsCount += 1
    },
    replay(handle, changes) {
      const subscriber = subscribers.get(handle)
      if (subscriber === undefined) return
      const missed = findMissed(subscriber.entries, changes)
      if (missed.length > 0) tellMissed(subscriber, missed)
    },
    onTransaction({ changes, xid }) {
      for (const { relation } of changes) if (plans.meet(relation, xid)) preparations.forget()
      for (const change of changes) tell(change, findTold(change), xid)
    },
    forget,
    async refuseElsewhere() {
      if (subscribers.size === 0) return
      const elsewhere = (await patient.listPublished()).filter(({ rowsElsewhere }) => rowsElsewhere !== null)
      if (elsewhere.length === 0) return
      for (const [handle, { subscription }] of subscribers) {
        const refusals = subscription.bindings.map(({ prepared }) => findRefusal(prepared, elsewhere))
        const message = refusals.find((each) => each !== undefined)
        if (message === undefined) continue
        remove(handle)
        subscription.refuse(message)
      }
    },
    restart() {
      plans.restart()
      preparations.forget()
      for (const { lane } of subscribers.values()) lane.clear()
    },
    pending: (handle) => subscribers.get(handle)?.lane.pending() ?? 0,
    counts() {
      let pending = 0
      for (const { lane } of subscribers.values()) pending += lane.pending()
      return { subscribers: subscribers.size, pending }
    },
  }
}

/** What could not be found out is undefined; who waits for it is told to fetch again. */
function decide(
  run: () => Outcome<Delivery> | Promise<Outcome<Delivery>>,
): Outcome<Delivery> | Promise<Outcome<Delivery>> {
  try {
    const outcome = run()
    return outcome instanceof Promise ? outcome.catch(() => undefined) : outcome
  } catch {
    return undefined
  }
}
