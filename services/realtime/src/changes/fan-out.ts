import type { Change, Transaction } from '@pando/changes/change'
import type { Caller } from '@pando/core/caller'
import { type ChangeRun, createChangeRun, type Delivery, type UndecidedDeletes } from './change-run.ts'
import type { Binding } from './choose-bindings.ts'
import type { ChangesObservation, ChangesPort } from './deps.ts'
import { createLane, type Lane, type Outcome } from './lane.ts'
import { createPreparations, type Prepared } from './prepare-request.ts'
import type { ChangeRequest } from './request.ts'
import { createRowChecks } from './row-checks.ts'
import { toValues } from './seen-values.ts'
import { type ChangeKind, createSubscriptionIndex } from './subscription-index.ts'
import { createTablePlans } from './table-plans.ts'

/** What one join follows. */
export type Subscription = {
  /** In the join's order, each with the id that it has on the wire. */
  readonly bindings: readonly { readonly id: number; readonly prepared: Prepared }[]
  readonly caller: Caller
  /** Called in commit order. One change may come several times, with other ids, where requests select other columns. */
  readonly deliver: (delivery: Delivery) => void
  /** Changes were left out: the phone has to fetch again. */
  readonly lose: (reason: 'check-failed' | 'too-many-pending') => void
}

export type Handle = { readonly subscription: Subscription }

export type ChangeFanOutDeps = {
  readonly port: ChangesPort
  /** Default `tell-key`. */
  readonly undecidedDeletes?: UndecidedDeletes
  /** Changes of one subscriber that wait for a decision. Default 1,000. */
  readonly pendingMax?: number
  /** Round trips for checks at once, one for each table at most. Default 4. */
  readonly checksInFlightMax?: number
  /** Claims groups in one round trip. Default 1,000. */
  readonly checkCallersMax?: number
  /** Questions of one table that wait for a round trip. Default 10,000. */
  readonly checkQueueMax?: number
  readonly observe?: (observation: ChangesObservation) => void
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
  onTransaction(transaction: Pick<Transaction, 'changes'>): void
  /** Policies, privileges or tables may have changed: everything is looked up anew, and what waits is decided anew. */
  forget(): void
  /** Of one subscriber, changes that wait for a decision. */
  pending(handle: Handle): number
  /** Subscribers, and changes that wait for a decision. */
  counts(): { readonly subscribers: number; readonly pending: number }
}

type Member = Handle & {
  caller: Caller
  claimsCount: number
  readonly entries: readonly Entry[]
  readonly lane: Lane<Delivery>
}
type Entry = Binding & { readonly member: Member }

export function createChangeFanOut(deps: ChangeFanOutDeps): ChangeFanOut {
  const { port, undecidedDeletes = 'tell-key', pendingMax = 1000, observe = () => undefined } = deps
  const { checksInFlightMax = 4, checkCallersMax = 1000, checkQueueMax = 10_000 } = deps
  const plans = createTablePlans(port)
  const checks = createRowChecks({ port, checksInFlightMax, checkCallersMax, checkQueueMax, observe })
  const preparations = createPreparations(port)
  const index = createSubscriptionIndex<Entry>()
  const members = new Map<Handle, Member>()

  /** One run for all who are told of a change, made anew when what it found out may be wrong. */
  const toRuns = (change: Change): (() => ChangeRun) => {
    let generation = -1
    let run: ChangeRun
    return () => {
      if (generation !== plans.generation()) run = createChangeRun({ plans, checks, undecidedDeletes }, change)
      generation = plans.generation()
      return run
    }
  }
  const tell = (member: Member, bindings: readonly Binding[], runOf: () => ChangeRun): void =>
    member.lane.push(() => decide(() => runOf().decide(member.caller, bindings)))

  return {
    prepare: preparations.prepare,
    add(subscription) {
      const member = createMember(subscription, { pendingMax, generation: plans.generation })
      for (const entry of member.entries) index.add(entry)
      members.set(member, member)
      return member
    },
    remove(handle) {
      const member = members.get(handle)
      if (member === undefined) return
      members.delete(handle)
      member.lane.close()
      for (const entry of member.entries) index.remove(entry)
    },
    updateClaims(handle, caller) {
      const member = members.get(handle)
      if (member === undefined) return
      member.caller = caller
      member.claimsCount += 1
    },
    replay(handle, changes) {
      const member = members.get(handle)
      if (member === undefined) return
      for (const change of changes) {
        const bindings = member.entries.filter(({ request }) => isAbout(request, change))
        if (bindings.length > 0) tell(member, bindings, toRuns(change))
      }
    },
    onTransaction({ changes }) {
      for (const change of changes) {
        const kind = kindOf(change)
        if (kind === undefined) continue
        const found = new Map<Member, Entry[]>()
        index.visit(change.relation, kind, toValues(change), (entry) => {
          const entries = found.get(entry.member)
          if (entries === undefined) found.set(entry.member, [entry])
          else if (!entries.includes(entry)) entries.push(entry)
        })
        const runOf = toRuns(change)
        for (const [member, entries] of found) tell(member, entries, runOf)
      }
    },
    forget() {
      preparations.forget()
      plans.forget()
    },
    pending: (handle) => members.get(handle)?.lane.pending() ?? 0,
    counts() {
      let pending = 0
      for (const { lane } of members.values()) pending += lane.pending()
      return { subscribers: members.size, pending }
    },
  }
}

type MemberDeps = { readonly pendingMax: number; readonly generation: () => number }

function createMember(subscription: Subscription, { pendingMax, generation }: MemberDeps): Member {
  const entries: Entry[] = []
  const { deliver, lose, caller } = subscription
  const member: Member = {
    subscription,
    caller,
    claimsCount: 0,
    entries,
    lane: createLane({ deliver, lose, pendingMax, generation: () => generation() + member.claimsCount }),
  }
  for (const { id, prepared } of subscription.bindings) {
    for (const part of prepared.parts) entries.push({ id, ...part, member })
  }
  return member
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

const kindNames: Readonly<Record<string, ChangeKind>> = { insert: 'INSERT', update: 'UPDATE', delete: 'DELETE' }

/** Undefined for a truncate, which the protocol does not know. */
const kindOf = ({ kind }: Change): ChangeKind | undefined => kindNames[kind]

function isAbout({ event, schema, table }: ChangeRequest, change: Change): boolean {
  const kind = kindOf(change)
  const { relation } = change
  return (
    kind !== undefined &&
    (event === '*' || event === kind) &&
    (schema === '*' || schema === relation.schema) &&
    (table === '*' || table === relation.table)
  )
}
