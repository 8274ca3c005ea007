import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createConnectionBudget, type Bidder, type ConnectionBudget } from './connection-budget.ts'

/** A lane that wants connections up to a number and keeps them all busy. */
function createBidder(budget: () => ConnectionBudget, role: string) {
  const state = { held: 0, wanted: 0, idle: 0 }
  const bidder: Bidder = {
    role,
    get held() {
      return state.held
    },
    get wants() {
      return state.held < state.wanted
    },
    grow() {
      while (state.held < state.wanted && budget().take(bidder)) state.held++
    },
    get idleSinceMs() {
      return state.idle > 0 ? 0 : undefined
    },
    closeLongestIdle() {
      state.idle--
      close()
    },
  }
  const close = () => {
    state.held--
    budget().give(bidder)
  }
  /** Everything in flight is answered once. */
  const turn = () => {
    for (let i = state.held; i > 0; i--) if (budget().mustYield(bidder)) close()
  }
  return { bidder, state, turn }
}

function open(connectionsMax: number, roles: string[]) {
  const budget: ConnectionBudget = createConnectionBudget(connectionsMax)
  return { budget, lanes: roles.map((role) => createBidder(() => budget, role)) }
}

test('a role that has everything hands over until the shares are even', () => {
  const { budget, lanes } = open(6, ['a', 'b', 'c'])
  const [a, b, c] = lanes as [(typeof lanes)[0], (typeof lanes)[0], (typeof lanes)[0]]
  a.state.wanted = 100
  a.bidder.grow()
  expect(a.state.held).toBe(6)
  for (const { state, bidder } of [b, c]) {
    state.wanted = 100
    bidder.grow()
  }
  for (let i = 0; i < 20; i++) for (const { turn } of lanes) turn()
  expect([a.state.held, b.state.held, c.state.held]).toEqual([2, 2, 2])
  expect(budget.taken).toBe(6)
})

test('an idle connection of one lane is closed for another', () => {
  const { lanes } = open(2, ['a', 'b'])
  const [a, b] = lanes as [(typeof lanes)[0], (typeof lanes)[0]]
  a.state.wanted = 2
  a.bidder.grow()
  Object.assign(a.state, { wanted: 0, idle: 2 })
  b.state.wanted = 1
  b.bidder.grow()
  expect([a.state.held, b.state.held]).toEqual([1, 1])
})

test('whatever the demand, the bound holds and nobody who wants a connection is left without one for ever', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.record({ role: fc.constantFrom('a', 'b', 'c'), wanted: fc.nat({ max: 12 }) }), {
        minLength: 1,
        maxLength: 5,
      }),
      (connectionsMax, demands) => {
        const { budget, lanes } = open(
          connectionsMax,
          demands.map(({ role }) => role),
        )
        const served = lanes.map(() => false)
        for (const [i, { state, bidder }] of lanes.entries()) {
          state.wanted = demands[i]!.wanted
          bidder.grow()
        }
        for (let round = 0; round < 60; round++) {
          for (const { turn, bidder } of lanes) {
            turn()
            bidder.grow()
            expect(budget.taken).toBeLessThanOrEqual(connectionsMax)
            for (const [i, { state }] of lanes.entries()) served[i] ||= state.held > 0 || state.wanted === 0
          }
        }
        expect(served).not.toContain(false)
        expect(budget.taken).toBe(lanes.reduce((sum, { state }) => sum + state.held, 0))
      },
    ),
  )
})
