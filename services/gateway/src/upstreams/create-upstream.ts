import type { Clock } from '@pando/core/clock'
import { type Address, type AddressLimits, openAddress } from './open-address.ts'
import { chooseAddress } from './choose-address.ts'
import type { State } from './health.ts'
import type { Observe } from './observations.ts'
import { createRetryBudget, type RetryBudget } from './retry-budget.ts'
import { type Lookup, nameOf, type Place, resolveOrigin } from './resolve-origin.ts'

export type UpstreamLimits = AddressLimits & {
  /** Most requests at once to one address, those that wait for a connection among them. */
  readonly requestsMax: number
  readonly probeMs: number
  /** How often names are resolved again. */
  readonly refreshMs: number
  readonly retryShare: number
}

export type UpstreamDeps = {
  readonly name: string
  readonly origins: readonly string[]
  readonly limits: UpstreamLimits
  readonly clock: Clock
  readonly random: () => number
  readonly lookup: Lookup
  readonly observe: Observe
}

/** How a request to an address went; `fault` is an answer that says that the node failed. */
export type Outcome = 'answered' | 'fault' | 'broken' | 'unreachable'

/** A service on other nodes: all its addresses, and which of them gets the next request. */
export type Upstream = {
  readonly name: string
  readonly requestsMax: number
  readonly retries: RetryBudget
  /** The address for a request or a WebSocket; undefined when there is none but those `tried`. */
  choose(what: keyof Address['running'], tried: readonly Address[]): Address | undefined
  report(address: Address, outcome: Outcome): void
  /** From now on these origins and no others; what runs at those that go is finished. */
  replace(origins: readonly string[]): Promise<void>
  /** How many addresses are in a state. */
  count(state: State): number
  start(): Promise<void>
  stop(): Promise<void>
}

/** Nothing is connected, resolved or asked before `start`. */
export function createUpstream(deps: UpstreamDeps): Upstream {
  const { name, limits, clock, random, observe } = deps
  let origins = deps.origins
  let addresses: readonly Address[] = []
  const noted = new WeakMap<Address, State>()
  const timers: NodeJS.Timeout[] = []
  let refreshed = Promise.resolve()

  const choices = {
    requests: { random, load: ({ running }: Address) => running.requests },
    sockets: { random, load: ({ running }: Address) => running.sockets },
  }

  function note(address: Address): void {
    const state = address.health.state()
    if (state === (noted.get(address) ?? 'up')) return
    noted.set(address, state)
    observe({ kind: 'address.changed', service: name, address: address.name, state })
  }

  async function probeAll(): Promise<void> {
    await Promise.all(
      addresses.map(async (address) => {
        await address.probe()
        note(address)
      }),
    )
  }

  async function refresh(): Promise<void> {
    const places = (await Promise.all(origins.map(placesOf))).flat()
    const kept = addresses.filter((address) => places.some((place) => nameOf(place) === address.name))
    const added = places.filter((place) => !addresses.some((address) => address.name === nameOf(place)))
    const gone = addresses.filter((address) => !kept.includes(address))
    if (added.length === 0 && gone.length === 0) return
    addresses = [...kept, ...(await Promise.all(added.map((place) => openAddress(place, limits, clock))))]
    observe({ kind: 'addresses.replaced', service: name, addresses: addresses.map((address) => address.name) })
    // What runs there may take long; nobody waits for it.
    for (const address of gone) void address.close()
  }

  /** A name that cannot be resolved now keeps the addresses it had. */
  async function placesOf(origin: string): Promise<Place[]> {
    try {
      return await resolveOrigin(origin, deps.lookup)
    } catch (cause) {
      observe({ kind: 'name.unresolved', service: name, origin, cause })
      return addresses.map(({ place }) => place).filter((place) => place.origin === origin)
    }
  }

  /** One after the other, so that the last one wins. */
  const refreshNext = (): Promise<void> => (refreshed = refreshed.then(refresh))

  return {
    name,
    requestsMax: limits.requestsMax,
    retries: createRetryBudget({ share: limits.retryShare, savedMax: limits.connectionsMax }),
    choose: (what, tried) => chooseAddress(addresses, tried, choices[what]),
    report(address, outcome) {
      const { health } = address
      if (outcome === 'answered') return health.answered(false)
      if (outcome === 'fault') health.answered(true)
      else if (outcome === 'broken') health.broken()
      else health.unreachable()
      observe({ kind: 'request.failed', service: name, outcome })
      note(address)
    },
    async replace(next) {
      origins = next
      await refreshNext()
    },
    count: (state) => addresses.filter(({ health }) => health.state() === state).length,
    async start() {
      await refreshNext()
      const probe = (): void => void probeAll()
      timers.push(
        setInterval(probe, limits.probeMs),
        setInterval(() => void refreshNext(), limits.refreshMs),
      )
      for (const timer of timers) timer.unref()
      probe()
    },
    async stop() {
      for (const timer of timers) clearInterval(timer)
      await refreshed
      await Promise.all(addresses.map((address) => address.destroy()))
    },
  }
}
