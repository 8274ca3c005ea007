import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

const script = `
  import { getHeapSpaceStatistics } from 'node:v8'
  import { keepYoungGenerationSmall, letYoungGenerationGrow } from './young-generation.ts'

  const kept = []
  const sizeAfterMuchThatSurvives = () => {
    for (let index = 0; index < 400_000; index += 1) kept.push({ index })
    return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size
  }
  keepYoungGenerationSmall()
  const small = sizeAfterMuchThatSurvives()
  letYoungGenerationGrow()
  console.log(JSON.stringify({ small, grown: sizeAfterMuchThatSurvives() }))`

test('the young generation stays small until it may grow', () => {
  const args = ['--input-type=module-typescript', '--eval', script]
  const { small, grown } = JSON.parse(
    execFileSync(process.execPath, args, { cwd: import.meta.dirname }).toString(),
  ) as {
    readonly small: number
    readonly grown: number
  }
  expect(small).toBeLessThan(4 * 1024 ** 2)
  expect(grown).toBeGreaterThan(2 * small)
})
