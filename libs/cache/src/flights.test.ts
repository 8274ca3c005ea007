import { expect, test } from 'vitest'
import { createFlights } from './flights.ts'

test('what many want at once is done once, and anew when it has ended', async () => {
  const flights = createFlights<number>()
  let begun = 0
  const begin = async (): Promise<number> => ++begun
  expect(await Promise.all([1, 2, 3].map(() => flights.join('a', begin)))).toEqual([1, 1, 1])
  expect(await flights.join('a', begin)).toBe(2)
})

test('what fails fails for all who joined, and is tried anew by the next', async () => {
  const flights = createFlights<number>()
  const fail = (): Promise<number> => Promise.reject(new Error('no'))
  const both = [flights.join('a', fail), flights.join('a', async () => 1)]
  expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await flights.join('a', async () => 2)).toBe(2)
})
