import { describe, expect, it } from 'vitest'
import { typeName } from './type-name.ts'

describe('type names', () => {
  it.each([
    'int',
    'character varying(40)',
    'numeric(10, 2)',
    'timestamp with time zone',
    'text[]',
    'time(3) with time zone',
  ])('%s is one', (name) => expect(typeName(name)).toBe(name))

  it.each(['int)', 'int; drop table x', 'a.b', '"x"', "int'", 'int--', '', 'int/**/', 'numeric(1,(2))'])(
    '%s is none',
    (name) => expect(() => typeName(name)).toThrow(expect.objectContaining({ code: 'PGRST100' })),
  )
})
