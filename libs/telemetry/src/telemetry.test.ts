import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createLogger } from './logger.ts'
import { createMetrics } from './metrics.ts'
import { createObserver } from './observations.ts'
import { endStage, formatServerTiming, formatStageTimes, startStages } from './stages.ts'
import { createRandomIds, formatTraceparent, parseTraceparent } from './trace.ts'

const capture = (): { lines: Record<string, unknown>[]; stream: { write(line: string): void } } => {
  const lines: Record<string, unknown>[] = []
  return { lines, stream: { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) } }
}

describe('the logger', () => {
  it('writes one JSON object a line with level, time and sentence', () => {
    const { lines, stream } = capture()
    createLogger({ level: 'info', stream }).info({ port: 1 }, 'listening')
    expect(lines).toEqual([
      { level: 'info', time: expect.stringMatching(/^20\d\d-.*T.*\.\d{3}Z$/), port: 1, msg: 'listening' },
    ])
  })

  it('masks secrets, also one level deep', () => {
    const { lines, stream } = capture()
    createLogger({ level: 'info', stream }).info(
      { token: 'abc', headers: { authorization: 'abc', apikey: 'abc' } },
      'x',
    )
    expect(JSON.stringify(lines)).not.toContain('abc')
  })
})

describe('metrics', () => {
  it('are rendered in the text format of Prometheus', async () => {
    const metrics = createMetrics({ process: false })
    const requests = metrics.counter({ name: 'x_requests_total', help: 'Requests.', labels: ['service'] })
    requests.series({ service: 'rest' }).add()
    requests.series({ service: 'rest' }).add(2)
    const sizes = metrics.histogram({ name: 'x_size_bytes', help: 'Sizes.', labels: [], buckets: [1, 10] })
    for (const value of [0.5, 1, 5, 100]) sizes.series({}).observe(value)
    metrics.gauge({ name: 'x_depth', help: 'Depth.', read: () => 7 })
    const page = await metrics.render()
    expect(page).toContain('x_requests_total{service="rest"} 3')
    expect(page).toMatch(
      /x_size_bytes_bucket\{le="1"\} 2\nx_size_bytes_bucket\{le="10"\} 3\nx_size_bytes_bucket\{le="\+Inf"\} 4/,
    )
    expect(page).toContain('x_size_bytes_sum 106.5')
    expect(page).toContain('x_size_bytes_count 4')
    expect(page).toContain('x_depth 7')
  })

  it('refuse a name that is taken and a label without a bound', () => {
    const metrics = createMetrics({ process: false })
    const counter = metrics.counter({ name: 'x_total', help: '', labels: ['id'] })
    expect(() => metrics.gauge({ name: 'x_total', help: '', read: () => 0 })).toThrow('declared twice')
    expect(() => {
      for (let id = 0; id <= 1000; id += 1) counter.series({ id: String(id) })
    }).toThrow('too many values')
  })
})

describe('trace context', () => {
  it('reads what the specification gives as an example and writes it back', () => {
    const header = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const trace = parseTraceparent(header)
    expect(trace).toEqual({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentId: '00f067aa0ba902b7', sampled: true })
    expect(formatTraceparent(trace!, '00f067aa0ba902b7')).toBe(header)
  })

  it.each([
    ['nothing', undefined],
    ['an all-zero trace id', '00-00000000000000000000000000000000-00f067aa0ba902b7-01'],
    ['an all-zero parent', '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01'],
    ['capitals', '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01'],
    ['the forbidden version', 'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    ['more than version 00 has', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x'],
  ])('counts %s as absent', (_name, header) => expect(parseTraceparent(header)).toBeUndefined())

  it('accepts its own ids, all different, for any block size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 16, max: 200 }), (blockBytes) => {
        const ids = createRandomIds(blockBytes)
        const seen = new Set(
          Array.from({ length: 50 }, () => formatTraceparent({ traceId: ids.traceId(), sampled: false }, ids.spanId())),
        )
        expect(seen.size).toBe(50)
        for (const header of seen) expect(parseTraceparent(header)).toBeDefined()
      }),
    )
  })
})

describe('stages', () => {
  it('hold the time since the stage before and end up in Server-Timing', () => {
    let nowMs = 100
    const clock = { now: () => 0, monotonic: () => nowMs }
    const stages = startStages(100)
    nowMs = 101.5
    endStage(stages, 'parse', clock)
    nowMs = 104.5004
    endStage(stages, 'query', clock)
    expect(formatServerTiming(stages, 5)).toBe('parse;dur=1.5, query;dur=3, total;dur=5')
    expect(formatStageTimes(stages)).toBe('{"parse":1.5,"query":3}')
  })
})

describe('observations', () => {
  it('become a line and a metric in one place', () => {
    type Fact = { type: 'cache.full'; size: number } | { type: 'peer.lost'; error: Error }
    const { lines, stream } = capture()
    const counted: number[] = []
    const observe = createObserver<Fact>(createLogger({ level: 'info', stream }), {
      'cache.full': {
        level: 'info',
        text: ({ size }) => `cache is full at ${size}`,
        count: ({ size }) => counted.push(size),
      },
      'peer.lost': { level: 'error', text: () => 'a peer is gone' },
    })
    observe({ type: 'cache.full', size: 9 })
    observe({ type: 'peer.lost', error: new Error('reset') })
    expect(lines[0]).toMatchObject({ level: 'info', observation: 'cache.full', size: 9, msg: 'cache is full at 9' })
    expect(lines[1]).toMatchObject({ level: 'error', msg: 'a peer is gone', err: { message: 'reset' } })
    expect(counted).toEqual([9])
  })
})
