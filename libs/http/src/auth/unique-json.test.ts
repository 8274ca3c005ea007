import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseUniqueJson } from './unique-json.ts'

describe('parseUniqueJson', () => {
  it('gives what JSON.parse gives for text without duplicate members', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        expect(parseUniqueJson(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('refuses any object in which a member was planted twice, in any spelling', () => {
    const spell = (name: string, isEscaped: boolean): string =>
      isEscaped
        ? `"${[...Array(name.length).keys()].map((at) => `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')}"`
        : JSON.stringify(name)
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), fc.boolean(), fc.boolean(), (name, value, one, two) => {
        const json = JSON.stringify(value)
        const planted = `[{"x":${json.includes('"x"') ? '1' : json}},{${spell(name, one)} : ${json},${spell(name, two)}:0}]`
        expect(() => parseUniqueJson(planted)).toThrow('appears twice')
      }),
    )
  })

  it('does not mistake values for names, or names of different objects for one', () => {
    const text = '{"a":"b","b":["a","a",{"a":"a:"}],"c":{"a":"\\"a\\":1"}}'
    expect(parseUniqueJson(text)).toEqual(JSON.parse(text))
  })

  it('refuses what is nested too deep, and what is no JSON', () => {
    expect(() => parseUniqueJson('['.repeat(33) + ']'.repeat(33))).toThrow('nested deeper than 32')
    expect(() => parseUniqueJson('{"a"}')).toThrow(SyntaxError)
  })
})
