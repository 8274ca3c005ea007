import { expect, test } from 'vitest'
import { chooseAddress } from './choose-address.ts'
import type { State } from './health.ts'

const addressIn = (state: State, load = 0) => ({ health: { state: () => state }, load })
type Address = ReturnType<typeof addressIn>

const by = { load: ({ load }: Address) => load, random: () => 0 }
const choose = (addresses: readonly Address[], tried: readonly Address[] = []): State | undefined =>
  chooseAddress(addresses, tried, by)?.health.state()

test('of two that are up, the one with less to do', () => {
  const [busy, idle] = [addressIn('up', 2), addressIn('up', 1)]
  expect(chooseAddress([busy, idle], [], by)).toBe(idle)
  expect(chooseAddress([busy, idle], [idle], by)).toBe(busy)
})

test.each<[State, State[]]>([
  ['up', ['up', 'unready', 'ejected', 'silent', 'down']],
  ['unready', ['unready', 'silent', 'down']],
  ['ejected', ['ejected', 'silent', 'down']],
  ['silent', ['silent', 'down']],
])('one that is %s is chosen of %s, whatever it has to do', (expected, states) => {
  const addresses = states.map((state) => addressIn(state, state === expected ? 9 : 0))
  expect(choose(addresses)).toBe(expected)
  expect(choose(addresses.toReversed())).toBe(expected)
})

test('one that nobody can connect to never is, nor one that was tried', () => {
  expect(choose([addressIn('down')])).toBeUndefined()
  const silent = addressIn('silent')
  expect(choose([silent, addressIn('down')], [silent])).toBeUndefined()
})
