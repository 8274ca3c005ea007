import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

const mega = 1024 ** 2

const script = `
  import { setTimeout } from 'node:timers/promises'
  import { keepYoungGenerationSmall, letYoungGenerationGrow, readYoungBytes } from './young-generation.ts'

  // As under load: what is made is needed for a while.
  const needed = []
  const work = () => {
    for (let index = 0; index < 100; index += 1) {
      needed.push(Array.from({ length: 1_000 }, () => ({ index })))
      if (needed.length > 60) needed.shift()
    }
    return readYoungBytes()
  }
  keepYoungGenerationSmall()
  const small = Math.max(...Array.from({ length: 40 }, work))
  letYoungGenerationGrow()
  let grown = 0
  // It is looked at while nothing runs, some times.
  for (let round = 0, looks = 0; round < 40; round += 1) {
    const bytes = work()
    grown = Math.max(grown, bytes)
    if (bytes < 20 * ${mega} || looks === 3) continue
    looks += 1
    await setTimeout(600)
  }
  console.log(JSON.stringify({ small, grown }))`

test('the young generation stays small until it may grow, and then does not get as large as V8 would make it', () => {
  const args = ['--input-type=module-typescript', '--eval', script]
  const { small, grown } = JSON.parse(
    execFileSync(process.execPath, args, { cwd: import.meta.dirname }).toString(),
  ) as {
    readonly small: number
    readonly grown: number
  }
  expect(small).toBeLessThan(10 * mega)
  expect(grown).toBeGreaterThan(2 * small)
  expect(grown).toBeLessThan(40 * mega)
})
