import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quoteLiteral, quoteName, quoteQualified } from './quote.ts'

describe('quoting', () => {
  it('a name stays inside its quotes whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        const inner = quoteName(name).slice(1, -1)
        expect(inner.replaceAll('""', '')).not.toContain('"')
        expect(inner).not.toContain('\0')
      }),
    )
  })

  it('a literal stays inside its quotes whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("'", '\\', 'a', '\0', '"') }), (text) => {
        const literal = quoteLiteral(text)
        const isEscape = literal.startsWith("E'")
        const inner = literal
          .slice(isEscape ? 2 : 1, -1)
          .replaceAll("''", '')
          .replaceAll('\\\\', '')
        expect(inner).not.toContain("'")
        expect(inner).not.toContain('\\')
      }),
    )
  })

  it('a name without a schema stands alone', () => {
    expect(quoteQualified({ schema: '', name: 'rows' })).toBe('"rows"')
    expect(quoteQualified({ schema: 'a"b', name: 'c' })).toBe('"a""b"."c"')
  })
})
