import type { Gate } from '@pando/admission/gate'
import type { Kind } from '@pando/admission/kind'
import { type Outcome, Visit } from '@pando/admission/visit'
import type { IncomingMessage } from 'node:http'

/** A visit that is held by a request, and given back when its account is closed, whatever became of it. */
export class HeldVisit extends Visit {
  readonly #gate: Gate
  #isOver = false

  constructor(gate: Gate, rank: number, kind: Kind) {
    super(rank, kind)
    this.#gate = gate
  }

  end(outcome: Outcome): void {
    this.#isOver = true
    this.#gate.leave(this, outcome)
  }

  giveBack(): void {
    this.end('other')
  }

  /** Gives its place to others until the whole body is there; nobody works for it before. */
  stepAside(raw: IncomingMessage): void {
    if (!this.isInside) return
    this.#gate.leave(this, 'other')
    raw.once('end', () => {
      if (!this.#isOver) this.#gate.comeBack(this)
    })
  }
}

type Arriving = { readonly visit: HeldVisit; readonly raw: IncomingMessage }

/** Requests whose body may still be on its way. */
export type Arrivals = {
  add(visit: HeldVisit, raw: IncomingMessage): void
  /** Those that were here at the last look and are not complete yet step aside. */
  look(): void
}

/**
 * A phone in a tunnel takes minutes to send a photo, and an attacker as long as it is let. Neither may keep a place
 * meanwhile: who is not complete after one or two looks gives it back until it is.
 */
export function createArrivals(): Arrivals {
  let young: Arriving[] = []
  let old: Arriving[] = []
  return {
    add: (visit, raw) => void young.push({ visit, raw }),
    look() {
      for (const { visit, raw } of old) if (!raw.complete) visit.stepAside(raw)
      old = young
      young = []
    },
  }
}
