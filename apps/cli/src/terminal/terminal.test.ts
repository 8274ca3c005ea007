import { describe, expect, it } from 'vitest'

import { formatBytes, formatCount, formatDuration, formatTable } from './format.ts'
import { createTerminal } from './terminal.ts'
import type { TerminalOptions } from './terminal.ts'

/** What each stream gets when a command says one of everything. */
function speak(options: Partial<TerminalOptions>): { out: string; err: string } {
  const said = { out: '', err: '' }
  const terminal = createTerminal({
    json: false,
    quiet: false,
    progress: true,
    colour: false,
    interactive: true,
    ...options,
    out: (text) => (said.out += text),
    err: (text) => (said.err += text),
  })
  terminal.done('step', 1234)
  terminal.warn('care')
  terminal.result({ a: 1 }, () => 'one a')
  terminal.fail('broken')
  return said
}

describe('createTerminal', () => {
  it('speaks in words to a person', () => {
    expect(speak({})).toEqual({ out: 'one a\n', err: '✓ step 1.2 s\n! care\n✗ broken\n' })
  })
  it('shows no progress where nobody watches', () => {
    expect(speak({ progress: false })).toEqual({ out: 'one a\n', err: '! care\n✗ broken\n' })
  })
  it('keeps results and failures when quiet', () => {
    expect(speak({ quiet: true })).toEqual({ out: 'one a\n', err: '✗ broken\n' })
  })
  it('prints one JSON document a line for programs', () => {
    expect(speak({ json: true })).toEqual({ out: '{"a":1}\n', err: '✗ broken\n' })
  })
  it('colours only when asked', () => {
    expect(speak({ colour: true }).err).toContain('\u001b[32m✓')
  })
})

describe('formats', () => {
  it.each([
    [formatDuration(8.4), '8 ms'],
    [formatDuration(1449), '1.4 s'],
    [formatDuration(125_000), '2 min 5 s'],
    [formatBytes(0), '0 B'],
    [formatBytes(1500), '1.5 kB'],
    [formatBytes(20_000_000_000), '20 GB'],
    [formatBytes(123_400_000), '123 MB'],
    [formatCount(1, 'migration'), '1 migration'],
    [formatCount(0, 'migration'), '0 migrations'],
  ])('%s is %s', (shown, expected) => {
    expect(shown).toBe(expected)
  })

  it('lines up a table without trailing blanks', () => {
    expect(
      formatTable(
        ['A', 'Bee'],
        [
          ['long', 'b'],
          ['x', ''],
        ],
      ),
    ).toEqual(['A     Bee', 'long  b', 'x'])
  })
})
