/** What a lane was to say, at once or later; undefined when it could not be found out. */
export type Outcome<T> = readonly T[] | undefined
export type Decide<T> = () => Outcome<T> | Promise<Outcome<T>>

export type LaneDeps<T> = {
  readonly deliver: (item: T) => void
  /** Something cannot be told, or too much waits: what waits is dropped. */
  readonly lose: (reason: 'check-failed' | 'too-many-pending') => void
  /** Changes when what was decided may be wrong by now. */
  readonly generation: () => number
  readonly pendingMax: number
}

/** Keeps the order of one subscriber: what takes long to decide holds back what came after it. */
export type Lane<T> = {
  push(decide: Decide<T>): void
  /** How many wait to be decided. */
  pending(): number
  /** Drops what waits. */
  clear(): void
  /** The same, and takes nothing more. */
  close(): void
}

type Slot<T> = { readonly decide: Decide<T>; generation: number; outcome: Outcome<T> | 'pending' }

export function createLane<T>(deps: LaneDeps<T>): Lane<T> {
  let slots: Slot<T>[] = []
  let isClosed = false

  const lose = (reason: 'check-failed' | 'too-many-pending'): void => {
    slots = []
    deps.lose(reason)
  }
  const tell = (outcome: Outcome<T>): void => {
    if (outcome === undefined) lose('check-failed')
    else for (const item of outcome) if (!isClosed) deps.deliver(item)
  }
  const settle = (slot: Slot<T>, outcome: Outcome<T>): void => {
    slot.outcome = outcome
    if (slots[0] === slot) flush()
  }
  const decide = (slot: Slot<T>, outcome: ReturnType<Decide<T>>): void => {
    slot.generation = deps.generation()
    slot.outcome = outcome instanceof Promise ? 'pending' : outcome
    if (outcome instanceof Promise) outcome.then((late) => settle(slot, late))
  }
  const flush = (): void => {
    for (let slot = slots[0]; slot !== undefined && slot.outcome !== 'pending'; slot = slots[0]) {
      if (slot.generation === deps.generation()) {
        slots.shift()
        tell(slot.outcome)
      } else decide(slot, slot.decide())
    }
  }
  return {
    push(toDecide) {
      if (isClosed) return
      const outcome = toDecide()
      if (!(outcome instanceof Promise) && outcome?.length === 0) return
      // The way of nearly all changes: nothing waits, and nothing has to be asked.
      if (slots.length === 0 && !(outcome instanceof Promise)) tell(outcome)
      else if (slots.length >= deps.pendingMax) lose('too-many-pending')
      else {
        const slot: Slot<T> = { decide: toDecide, generation: 0, outcome: 'pending' }
        slots.push(slot)
        decide(slot, outcome)
      }
    },
    pending: () => slots.length,
    clear() {
      slots = []
    },
    close() {
      isClosed = true
      slots = []
    },
  }
}
