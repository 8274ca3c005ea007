import { expect, test } from 'vitest'
import { createCatalogueKeeper } from './catalogue-keeper.ts'
import type { CatalogueKeeperDeps, LoadContext } from './catalogue-keeper.ts'
import type { Catalogue } from './catalogue.ts'
import { emptyCatalogue } from './testing/empty-catalogue.ts'

/** A keeper whose loads end and whose time passes when the test says so. */
function setUp(deps: Partial<CatalogueKeeperDeps> = {}) {
  const loads: { context: LoadContext; done: (catalogue?: Catalogue) => Promise<void>; fail: () => Promise<void> }[] =
    []
  const sleeps: { ms: number; wake: () => Promise<void> }[] = []
  const failures: number[] = []
  let events: Parameters<CatalogueKeeperDeps['listen']>[0] | undefined
  let isListening = false
  const listening = Promise.withResolvers<void>()
  const keeper = createCatalogueKeeper({
    load(context) {
      const { promise, resolve, reject } = Promise.withResolvers<Catalogue>()
      const done = (catalogue?: Catalogue) => settle(() => resolve(catalogue ?? { ...emptyCatalogue, ...context }))
      loads.push({ context, done, fail: () => settle(() => reject(new Error('no'))) })
      return promise
    },
    listen(given) {
      events = given
      isListening = true
      const stop = async () => {
        isListening = false
      }
      return { ready: listening.promise, stop }
    },
    sleep(ms, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      signal.addEventListener('abort', () => reject(new Error('woken')))
      if (signal.aborted) reject(new Error('woken'))
      sleeps.push({ ms, wake: () => settle(resolve) })
      return promise
    },
    random: () => 0,
    onFailed: ({ retryInMs }) => failures.push(retryInMs),
    ...deps,
  })
  return {
    keeper,
    loads,
    sleeps,
    failures,
    connect: () => settle(listening.resolve),
    notify: (payload: string) => settle(() => events?.onNotice('pgrst', payload)),
    reconnect: () => settle(() => events?.onReconnected()),
    isListening: () => isListening,
  }
}

/** Does it and lets everything that follows from it happen. */
async function settle(act: () => void): Promise<void> {
  act()
  await new Promise((resolve) => setImmediate(resolve))
}

async function started(deps?: Partial<CatalogueKeeperDeps>) {
  const house = setUp(deps)
  const start = house.keeper.start()
  await house.connect()
  await house.loads[0]?.done()
  await start
  await house.sleeps.at(-1)?.wake()
  return house
}

test('starting loads once, after it listens', async () => {
  const house = setUp()
  const start = house.keeper.start()
  expect(house.loads).toHaveLength(0)
  await house.connect()
  expect(house.keeper.ready()).toBe(false)
  expect(house.keeper.current()).toBeUndefined()
  await house.loads[0]?.done()
  await start
  expect(house.keeper.ready()).toBe(true)
  expect(house.loads).toHaveLength(1)
  await house.keeper.stop()
  expect(house.isListening()).toBe(false)
})

test('starting does not wait for ever to listen, and loads again when it does', async () => {
  const house = setUp()
  const start = house.keeper.start()
  await house.sleeps[0]?.wake()
  await house.loads[0]?.done()
  await start
  expect(house.loads).toHaveLength(1)
  await house.connect()
  expect(house.loads).toHaveLength(2)
  await house.keeper.stop()
})

test('the old catalogue serves until the new one is there, which has a higher generation', async () => {
  const { keeper, loads, notify } = await started()
  const old = keeper.current()
  await notify('reload schema')
  expect(keeper.current()).toBe(old)
  expect(loads[1]?.context.previous).toBe(old)
  await loads[1]?.done()
  expect(keeper.current()?.generation).toBe(2)
  await keeper.stop()
})

test('a migration with 500 notifications causes two loads', async () => {
  const { keeper, loads, sleeps, notify } = await started()
  for (let at = 0; at < 250; at++) await notify('reload schema')
  expect(loads).toHaveLength(2)
  await loads[1]?.done()
  for (let at = 0; at < 250; at++) {
    await notify('reload schema')
    if (at % 50 === 0) await sleeps.at(-1)?.wake()
  }
  expect(loads).toHaveLength(2)
  await sleeps.at(-1)?.wake()
  await sleeps.at(-1)?.wake()
  expect(loads).toHaveLength(3)
  await loads[2]?.done()
  await sleeps.at(-1)?.wake()
  expect(loads).toHaveLength(3)
  await keeper.stop()
})

test('a burst without an end does not put the load off for ever', async () => {
  const { keeper, loads, sleeps, notify } = await started()
  await notify('')
  await loads[1]?.done()
  for (let round = 0; round < 60 && loads.length < 3; round++) {
    await notify('')
    await sleeps.at(-1)?.wake()
  }
  expect(loads).toHaveLength(3)
  await keeper.stop()
})

test('a load that fails is tried again after a time that doubles, and the old catalogue serves', async () => {
  const { keeper, loads, sleeps, failures, notify } = await started()
  await notify('reload schema')
  for (const attempt of [1, 2, 3]) {
    await loads[attempt]?.fail()
    await sleeps.at(-1)?.wake()
  }
  expect(failures).toEqual([250, 500, 1000])
  expect(keeper.current()?.generation).toBe(1)
  await loads[4]?.done()
  expect(keeper.current()?.generation).toBe(5)
  await keeper.stop()
})

test('a listener that connects again causes a load, at once even while an attempt waits', async () => {
  const { keeper, loads, notify, reconnect } = await started()
  await reconnect()
  expect(loads).toHaveLength(2)
  await loads[1]?.fail()
  await notify('reload schema')
  expect(loads).toHaveLength(2)
  await reconnect()
  expect(loads).toHaveLength(3)
  await keeper.stop()
})

test('asking for a load answers when a catalogue read since then serves', async () => {
  const { keeper, loads, notify } = await started()
  await notify('reload schema')
  let isDone = false
  const reload = keeper.reload().then(() => (isDone = true))
  await loads[1]?.done()
  expect(isDone).toBe(false)
  expect(loads).toHaveLength(3)
  await loads[2]?.done()
  await reload
  expect(keeper.current()?.generation).toBe(3)
  await keeper.stop()
})

test('the configuration alone is read when only that is asked for', async () => {
  const { keeper, loads, notify } = await started({ loadConfig: async () => new Map([['db_max_rows', '5']]) })
  const before = keeper.current()
  await notify('reload config')
  expect(loads).toHaveLength(1)
  expect(keeper.current()).toEqual({ ...before, generation: 2, inDatabaseConfig: new Map([['db_max_rows', '5']]) })
  await keeper.stop()
})

test('other payloads are not for us', async () => {
  const { keeper, loads, notify } = await started()
  await notify('reload everything')
  expect(loads).toHaveLength(1)
  await keeper.stop()
})

test('stopping rejects those who wait, at once, and a load that ends later changes nothing', async () => {
  const { keeper, loads, notify } = await started()
  await notify('')
  const reload = keeper.reload()
  await keeper.stop()
  await expect(reload).rejects.toThrow('its keeper was stopped')
  await expect(keeper.reload()).rejects.toThrow('its keeper was stopped')
  await loads[1]?.done()
  expect(keeper.current()?.generation).toBe(1)
})

test('each catalogue is shown before it serves', async () => {
  const seen: number[] = []
  const { keeper, loads, notify } = await started({ onLoaded: ({ generation }) => seen.push(generation) })
  await notify('')
  await loads[1]?.done()
  expect(seen).toEqual([1, 2])
  await keeper.stop()
})
