import { bareRoutine, catalogueOf } from '@pando/catalogue/testing/empty-catalogue'
import type { Routine } from '@pando/catalogue/catalogue'
import { expect, it } from 'vitest'
import { chooseRoutine } from './choose-routine.ts'

const name = { schema: 'api', name: 'sum' }

function typed(names: readonly string[], type: string, optional: readonly string[] = []): Routine {
  const routine = bareRoutine(name, names)
  const parameters = routine.parameters.map((each) =>
    Object.assign({}, each, { type, baseType: type, required: !optional.includes(each.name) }),
  )
  return { ...routine, parameters }
}

function choose(routines: readonly Routine[], argumentNames: readonly string[], bodyType?: string): Routine {
  return chooseRoutine(catalogueOf({ routines }), { name, argumentNames: new Set(argumentNames), bodyType })
}

function refusal(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

it('the overload is the one that has all names and needs no others', () => {
  const two = typed(['a', 'b'], 'int')
  const three = typed(['a', 'b', 'c'], 'int', ['c'])
  expect(choose([two, typed(['a', 'b', 'c'], 'int')], ['b', 'a'])).toBe(two)
  expect(choose([three], ['a', 'b'])).toBe(three)
})

it('a body goes whole into a single unnamed parameter only when no names fit', () => {
  const named = typed(['a'], 'int')
  const whole = typed([''], 'json')
  expect(choose([named, whole], ['a'], 'application/json')).toBe(named)
  expect(choose([named, whole], ['x'], 'application/json')).toBe(whole)
  expect(choose([typed([''], 'text'), whole], [], 'text/plain').parameters[0]?.type).toBe('text')
})

it('a single named parameter never takes the body whole', () => {
  expect(refusal(() => choose([typed(['data'], 'json')], ['a'], 'application/json'))).toMatchObject({
    code: 'PGRST202',
    message: 'Could not find the function api.sum(a) in the schema cache',
    facts: {
      details:
        'Searched for the function api.sum with parameter a or with a single unnamed json/jsonb parameter, but no matches were found in the schema cache.',
    },
  })
})

it('says what was looked for without parameters', () => {
  expect(refusal(() => choose([], []))).toMatchObject({
    message: 'Could not find the function api.sum without parameters in the schema cache',
    facts: { hint: null },
  })
})

it('overloads that differ in types alone are ambiguous', () => {
  expect(refusal(() => choose([typed(['a'], 'int'), typed(['a'], 'xml')], ['a']))).toMatchObject({
    code: 'PGRST203',
    message: 'Could not choose the best candidate function between: api.sum(a => int), api.sum(a => xml)',
  })
})
