import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DurationOption } from './option.ts'
import { formatOption, parseOption } from './parse-option.ts'

const duration: DurationOption = { type: 'duration', default: null, text: '' }
const parse = (raw: unknown, option = duration) => parseOption(option, raw)

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const part = fc.record({
  count: fc.integer({ min: 1, max: 10_000 }),
  unit: fc.constantFrom(...(Object.keys(unitMs) as (keyof typeof unitMs)[])),
})

describe('a duration', () => {
  it.each([
    ['1h30m', 5_400_000],
    ['2m5s250ms', 125_250],
    ['1D', 86_400_000],
    ['1.5h', 5_400_000],
    ['90 s', 90_000],
    ['250', 250],
    [250, 250],
  ])('%s is %i ms', (raw, value) => {
    expect(parse(raw)).toEqual({ value })
  })

  it.each(['', 'h', '1h30', '30m-1h', '1 week', '1h, 30m', '-5s', '1e3', 'Infinity', '1constructor', true])(
    '%j is refused, with the forms that are taken',
    (raw) => {
      expect(parse(raw)).toEqual({
        mistake: `must be a duration such as 250ms, 30s, 5m, 2h or 7d, but is ${JSON.stringify(raw)}`,
      })
    },
  )

  it('is the sum of its parts, in whichever order and with whichever units', () => {
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), (parts) => {
        const text = parts.map(({ count, unit }) => `${count}${unit}`).join('')
        expect(parse(text)).toEqual({ value: parts.reduce((sum, { count, unit }) => sum + count * unitMs[unit], 0) })
      }),
    )
  })

  it('is written with the largest unit that leaves no rest, and reads back as the same', () => {
    fc.assert(
      fc.property(part, ({ count, unit }) => {
        const value = count * unitMs[unit]
        const text = formatOption('duration', value)
        expect(parse(text)).toEqual({ value })
        expect(text.length).toBeLessThanOrEqual(`${count}${unit}`.length)
      }),
    )
  })

  it('counts a bare number in the unit of its option', () => {
    expect(parse('90', { ...duration, unit: 's' })).toEqual({ value: 90_000 })
    expect(parse('90ms', { ...duration, unit: 's' })).toEqual({ value: 90 })
  })

  it('outside its bounds is refused, and the bound is written as a person would', () => {
    const bounded = { ...duration, min: 1000, max: 5_400_000 }
    expect(parse('1h30m', bounded)).toEqual({ value: 5_400_000 })
    expect(parse('1h30m1ms', bounded)).toEqual({ mistake: 'must be at most 90m, but is "1h30m1ms"' })
    expect(parse('999ms', bounded)).toEqual({ mistake: 'must be at least 1s, but is "999ms"' })
  })
})
