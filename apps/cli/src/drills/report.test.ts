import { describe, expect, it } from 'vitest'

import { createTerminal } from '../terminal/terminal.ts'
import { none } from './checks.ts'
import type { Check, Found } from './drill.ts'
import { readSeries } from './fleet/metrics.ts'
import { renderReport, toSparkline } from './render.ts'
import { toReport } from './report.ts'

const terminal = createTerminal({
  json: false,
  quiet: false,
  progress: false,
  colour: false,
  interactive: false,
  out: () => undefined,
  err: () => undefined,
})

const timed = (figure: number | null): Check => ({ name: 'gap', figure, unit: 's', most: 3, isTimed: true })

function reportOf(checks: readonly Check[], lateMs = 0) {
  const sent: Found['sent'] = [
    { kind: 'read', dueMs: 10, lateMs, latencyMs: 4, outcome: 'answered' },
    { kind: 'write', dueMs: 1_200, lateMs, latencyMs: 9, outcome: 'failed', why: 'socket hang up' },
  ]
  const ran = { drill: 'kill-node', steps: [{ atMs: 1_500, text: 'kill -9 of node 1' }], nodes: 2, seed: 1 }
  return toReport(ran, { promise: 'It survives', checks, phases: [], sent })
}

describe('a report', () => {
  it('passes when every promise is kept, and fails with the first that is not', () => {
    expect(reportOf([none('lost', 0), timed(2.9)]).outcome).toBe('pass')
    expect(reportOf([none('lost', 1), timed(2.9)]).outcome).toBe('fail')
    expect(reportOf([none('lost', 0), timed(3.1)]).outcome).toBe('fail')
    expect(reportOf([none('lost', 0), timed(null)]).outcome).toBe('fail')
  })

  it('takes no time for true that a late generator measured, and every loss', () => {
    expect(reportOf([none('lost', 0), timed(2)], 6).outcome).toBe('void')
    expect(reportOf([none('lost', 0), timed(4)], 6).outcome).toBe('void')
    expect(reportOf([none('lost', 1), timed(2)], 6).outcome).toBe('fail')
  })

  it('shows people what was done, the seconds, what failed and each promise', () => {
    const text = renderReport(terminal, reportOf([none('lost', 0), timed(null)]))
    expect(text).toContain('    1.5 s  kill -9 of node 1')
    expect(text).toContain('answers  █  1 a second at most')
    expect(text).toContain('1 × write: socket hang up')
    expect(text).toContain('✓ lost: 0 (at most 0)\n✗ gap: never (at most 3 s)\nfail')
  })
})

describe('toSparkline', () => {
  it('has a column for each figure, empty only for 0', () => {
    expect(toSparkline([0, 1, 50, 100])).toBe(' ▁▄█')
    expect(toSparkline([0, 0])).toBe('  ')
    expect(toSparkline([])).toBe('')
  })
})

describe('readSeries', () => {
  it('reads those of one name, with and without labels', () => {
    const page = '# TYPE up gauge\nup{state="up",worker="1"} 2\nup{state="down"} 0\nupper 7\nmemory_bytes 1.5e8\n'
    expect(readSeries(page, 'up')).toEqual([
      { labels: 'state="up",worker="1"', value: 2 },
      { labels: 'state="down"', value: 0 },
    ])
    expect(readSeries(page, 'memory_bytes')).toEqual([{ labels: '', value: 1.5e8 }])
  })
})
