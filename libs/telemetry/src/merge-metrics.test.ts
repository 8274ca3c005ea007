import { expect, it } from 'vitest'
import { mergeMetrics } from './merge-metrics.ts'
import { createMetrics } from './metrics.ts'

it('shows the series of all processes on one page, each with the name of its process', async () => {
  const processes = ['1', '2'].map((name, index) => {
    const metrics = createMetrics({ process: false })
    metrics
      .counter({ name: 'hits_total', help: 'Hits.', labels: ['kind'] })
      .series({ kind: 'a' })
      .add(index + 1)
    metrics.gauge({ name: 'depth', help: 'Depth.', read: () => [{ labels: { queue: 'q' }, value: 7 }] })
    const seconds = metrics.histogram({ name: 'seconds', help: 'Time.', labels: [], buckets: [1] })
    seconds.series({}).observe(0.5)
    return { name, metrics }
  })
  const snapshots = await Promise.all(processes.map(({ metrics }) => metrics.snapshot()))
  // As they come through a channel between processes.
  const sent = JSON.parse(JSON.stringify(snapshots)) as typeof snapshots
  const page = await mergeMetrics('worker', new Map(processes.map(({ name }, index) => [name, sent[index]!])))
  expect(page.split('\n').filter((line) => line !== '')).toEqual([
    '# HELP hits_total Hits.',
    '# TYPE hits_total counter',
    'hits_total{kind="a",worker="1"} 1',
    'hits_total{kind="a",worker="2"} 2',
    '# HELP depth Depth.',
    '# TYPE depth gauge',
    'depth{queue="q",worker="1"} 7',
    'depth{queue="q",worker="2"} 7',
    '# HELP seconds Time.',
    '# TYPE seconds histogram',
    'seconds_bucket{le="1",worker="1"} 1',
    'seconds_bucket{le="+Inf",worker="1"} 1',
    'seconds_sum{worker="1"} 0.5',
    'seconds_count{worker="1"} 1',
    'seconds_bucket{le="1",worker="2"} 1',
    'seconds_bucket{le="+Inf",worker="2"} 1',
    'seconds_sum{worker="2"} 0.5',
    'seconds_count{worker="2"} 1',
  ])
})
