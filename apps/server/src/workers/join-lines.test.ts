import fc from 'fast-check'
import { expect, it } from 'vitest'
import { joinLines } from './join-lines.ts'

it('passes on whole lines alone, wherever the pieces were cut, and what is left at the end', () => {
  const outcome = fc.check(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'ü', '\n') })), (pieces) => {
      const written: string[] = []
      const { push, end } = joinLines((lines) => void written.push(lines))
      pieces.forEach(push)
      end()
      const text = pieces.join('')
      const whole = text === '' || text.endsWith('\n') ? text : `${text}\n`
      return written.join('') === whole && written.every((lines) => lines.endsWith('\n'))
    }),
  )
  expect(outcome).toMatchObject({ failed: false })
})
