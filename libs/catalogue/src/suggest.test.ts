import { expect, test } from 'vitest'
import { suggestParameters, suggestRelation, suggestRelationship, suggestRoutine } from './suggest.ts'
import { bareRelationship, bareRoutine, bareTable, catalogueOf } from './testing/empty-catalogue.ts'

const name = (text: string) => ({ schema: 'api', name: text })

const catalogue = catalogueOf({
  relations: [bareTable(name('films')), bareTable(name('directors')), bareTable({ schema: 'other', name: 'filming' })],
  routines: [
    bareRoutine(name('say_hello'), ['name']),
    bareRoutine(name('add_them'), ['a', 'b']),
    bareRoutine(name('add_them'), ['val', 'param', 'name']),
  ],
  relationships: [
    bareRelationship(name('films'), name('directors')),
    bareRelationship(name('films'), name('roles')),
    bareRelationship(name('roles'), name('actors')),
  ],
})

test('a relation is suggested for a name close to it, from the same schema', () => {
  expect(suggestRelation(catalogue, 'api', 'film')).toBe('films')
  expect(suggestRelation(catalogue, 'other', 'film')).toBeUndefined()
  expect(suggestRelation(catalogue, 'api', 'secrets')).toBeUndefined()
})

test('no relation is suggested in a very large schema', () => {
  const many = catalogueOf({ relations: Array.from({ length: 500 }, (_, at) => bareTable(name(`table${at}`))) })
  expect(suggestRelation(many, 'api', 'table')).toBeUndefined()
})

test('a function is suggested for a name close to it', () => {
  expect(suggestRoutine(catalogue, 'api', 'sayhello')).toBe('say_hello')
  expect(suggestRoutine(catalogue, 'api', 'drop_all')).toBeUndefined()
})

test('the overload with the closest parameters is suggested, its parameters in alphabetical order', () => {
  expect(suggestParameters(catalogue, name('add_them'), ['a', 'c'])).toBe('(a, b)')
  expect(suggestParameters(catalogue, name('add_them'), ['vall', 'pqaram', 'nam'])).toBe('(name, param, val)')
  expect(suggestParameters(catalogue, name('add_them'), ['noclosealternative'])).toBeUndefined()
})

test('another child is suggested when the parent has relationships, else another parent', () => {
  expect(suggestRelationship(catalogue, name('films'), 'role')).toEqual({ instead: 'child', name: 'roles' })
  expect(suggestRelationship(catalogue, name('film'), 'directors')).toEqual({ instead: 'parent', name: 'films' })
})

test('nothing is suggested when both ends are right or nothing is near', () => {
  expect(suggestRelationship(catalogue, name('films'), 'roles')).toBeUndefined()
  expect(suggestRelationship(catalogue, name('films'), 'noclosealternative')).toBeUndefined()
})

test('a name of absurd length costs nothing', () => {
  expect(suggestRelation(catalogue, 'api', 'films'.repeat(1000))).toBeUndefined()
})
