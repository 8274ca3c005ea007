import { expect, test } from 'vitest'
import { compileOnce, type Types } from './shape.ts'

test('a shape is compiled once, however many ask for it at the same time', async () => {
  let times = 0
  const validatorOf = compileOnce((Type: Types) => {
    times += 1
    return Type.Object({ name: Type.String() })
  })
  const [first, ...others] = await Promise.all([validatorOf(), validatorOf(), validatorOf()])
  expect(others.every((other) => other === first)).toBe(true)
  expect(await validatorOf()).toBe(first)
  expect(times).toBe(1)
  expect([{ name: 'Ada' }, { name: 1 }, {}].map((value) => first.Check(value))).toEqual([true, false, false])
})

test('what failed is tried again', async () => {
  let isBroken = true
  const validatorOf = compileOnce((Type: Types) => {
    if (isBroken) throw new Error('too many open files')
    return Type.String()
  })
  await expect(validatorOf()).rejects.toThrow('too many open files')
  isBroken = false
  expect((await validatorOf()).Check('text')).toBe(true)
})
