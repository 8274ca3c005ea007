import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createConnection } from './connection.ts'
import { type Page, watchPage } from './watch-page.ts'

test('attempts come at random moments, ever later up to half a minute, and in the background never', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 1, noNaN: true }), (tries, chance) => {
      const connection = createConnection({ clientOf: () => undefined as never, random: () => chance })
      const latestMs = tries < 5 ? 1_000 * 2 ** tries : 30_000
      expect(connection.reconnectAfterMs(tries)).toBe(chance * latestMs)
      connection.sleep()
      expect(connection.reconnectAfterMs(tries)).toBeGreaterThan(24 * 3_600_000)
    }),
  )
})

test('a page that is shown or hidden, and a network that is back, are told until it ends', () => {
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible' })
  const page = Object.assign(new EventTarget(), { document })
  const told: string[] = []
  const live = { wake: () => told.push('wake'), sleep: () => told.push('sleep') }
  const stop = watchPage(page as unknown as Page, live)
  const show = (state: string): void => {
    document.visibilityState = state
    document.dispatchEvent(new Event('visibilitychange'))
  }
  show('hidden')
  page.dispatchEvent(new Event('online'))
  show('visible')
  page.dispatchEvent(new Event('online'))
  stop()
  show('hidden')
  page.dispatchEvent(new Event('online'))
  expect(told).toEqual(['sleep', 'sleep', 'wake', 'wake'])
})

test('where there is no page nothing is watched', () => {
  const stop = watchPage({}, { wake: () => {}, sleep: () => {} })
  expect(stop()).toBeUndefined()
})
