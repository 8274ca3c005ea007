import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseAddress } from './choose-address.ts'
import { createHealth, type State } from './health.ts'
import { parseUpstreams, parseUpstreamsFile } from './parse-upstreams.ts'
import { resolveOrigin } from './resolve-origin.ts'
import { createRetryBudget } from './retry-budget.ts'

describe('the health of an address', () => {
  function setUp() {
    let now = 1_000_000
    const limits = { failuresMax: 3, ejectionMs: 1000, ejectionMsMax: 5000 }
    const health = createHealth(limits, { monotonic: () => now })
    const fail = (times: number): void => {
      for (let count = 0; count < times; count += 1) health.answered(true)
    }
    return { health, fail, pass: (ms: number) => (now += ms) }
  }

  it('is ejected after so many faults in a row, and a good answer between them begins anew', () => {
    const { health, fail } = setUp()
    fail(2)
    health.answered(false)
    fail(2)
    expect(health.state()).toBe('up')
    health.broken()
    expect(health.state()).toBe('ejected')
  })

  it('stays away for twice as long each time, up to a limit, and from the start after it has been well', () => {
    const { health, fail, pass } = setUp()
    for (const ms of [1000, 2000, 4000, 5000, 5000]) {
      fail(3)
      pass(ms - 1)
      expect(health.state()).toBe('ejected')
      pass(1)
      expect(health.state()).toBe('up')
    }
    pass(5001)
    fail(3)
    pass(1000)
    expect(health.state()).toBe('up')
  })

  it('is what the last probe said, and down as soon as nobody can connect', () => {
    const { health } = setUp()
    health.probed('unready')
    expect(health.state()).toBe('unready')
    health.probed('up')
    expect(health.state()).toBe('up')
    health.unreachable()
    expect(health.state()).toBe('down')
    health.probed('up')
    expect(health.state()).toBe('up')
  })
})

describe('the choice of an address', () => {
  const address = (state: State, load = 0) => ({ load, health: { state: () => state } })
  type Address = ReturnType<typeof address>
  const choose = (addresses: Address[], tried: Address[] = [], random = Math.random) =>
    chooseAddress(addresses, tried, { load: ({ load }) => load, random })

  it('takes the one with less to do of two', () => {
    const [busy, idle] = [address('up', 5), address('up', 1)]
    for (let count = 0; count < 20; count += 1) expect(choose([busy, idle])).toBe(idle)
  })

  it('never takes one that cannot be connected to or has been tried, and one in trouble only when none is well', () => {
    const states: readonly State[] = ['up', 'unready', 'ejected', 'down']
    const anyAddress = fc.record({ state: fc.constantFrom(...states), load: fc.nat(9), isTried: fc.boolean() })
    const outcome = fc.check(
      fc.property(fc.array(anyAddress, { maxLength: 6 }), fc.noShrink(fc.double({ min: 0, max: 0.999 })), (all, at) => {
        const addresses = all.map(({ state, load }) => address(state, load))
        const tried = addresses.filter((_, index) => all[index]!.isTried)
        const chosen = choose(addresses, tried, () => at)
        const open = addresses.filter((each) => !tried.includes(each) && each.health.state() !== 'down')
        if (chosen === undefined) return open.length === 0
        const isWell = open.some(({ health }) => health.state() === 'up')
        return open.includes(chosen) && (!isWell || chosen.health.state() === 'up')
      }),
    )
    expect(outcome).toMatchObject({ failed: false })
  })

  it('spreads equal ones evenly', () => {
    const counts = new Map<Address, number>()
    const three = [address('up'), address('up'), address('up')]
    const randoms = Array.from({ length: 3000 }, (_, index) => ((index * 7919) % 3000) / 3000)
    let at = 0
    for (let count = 0; count < 1500; count += 1) {
      const chosen = choose(three, [], () => randoms[(at += 1) % 3000]!)!
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1)
    }
    for (const count of counts.values()) expect(count).toBeGreaterThan(350)
  })
})

describe('the budget of retries', () => {
  it('is a share of the requests beside a few to begin with, however many want one', () => {
    const budget = createRetryBudget({ share: 0.2, savedMax: 1000 })
    let spent = 0
    for (let count = 0; count < 1000; count += 1) {
      budget.earn()
      while (budget.spend()) spent += 1
    }
    expect(spent).toBeGreaterThan(200)
    expect(spent).toBeLessThanOrEqual(210)
  })

  it('saves no more than its limit, and is empty with a share of 0', () => {
    const budget = createRetryBudget({ share: 0.5, savedMax: 4 })
    for (let count = 0; count < 100; count += 1) budget.earn()
    expect([1, 2, 3, 4, 5].map(() => budget.spend())).toEqual([true, true, true, true, false])
    expect(createRetryBudget({ share: 0, savedMax: 4 }).spend()).toBe(false)
  })
})

describe('upstreams by name', () => {
  it('are several addresses of a service where it stands several times', () => {
    expect([...parseUpstreams(['rest=http://b:1', 'auth=https://d', 'rest=http://c:1/'], ['rest', 'auth'])]).toEqual([
      ['rest', ['http://b:1', 'http://c:1']],
      ['auth', ['https://d']],
    ])
  })

  it('stand in a file one a line, with comments', () => {
    const text = '# the data API\nrest=http://b:1 # first\n\n  rest=http://c:1\r\n'
    expect([...parseUpstreamsFile(text, ['rest'])]).toEqual([['rest', ['http://b:1', 'http://c:1']]])
  })

  it('are all addresses that a name has, once, of one family', async () => {
    const lookup = async () => [
      { address: '::1', family: 6 },
      { address: '10.0.0.2', family: 4 },
      { address: '10.0.0.3', family: 4 },
      { address: '10.0.0.2', family: 4 },
    ]
    expect((await resolveOrigin('http://rest.internal:1', lookup)).map(({ ip }) => ip)).toEqual([
      '10.0.0.2',
      '10.0.0.3',
    ])
    expect(await resolveOrigin('http://[::1]:1', lookup)).toEqual([{ origin: 'http://[::1]:1' }])
    const v6 = async () => [{ address: '::1', family: 6 }]
    expect(await resolveOrigin('http://rest.internal:1', v6)).toEqual([{ origin: 'http://rest.internal:1', ip: '::1' }])
  })
})
