import { expect, test } from 'vitest'
import { plannedRows } from './planned-rows.ts'

const ofPostgres = (rows: number) => ({ Plan: { 'Node Type': 'Seq Scan', 'Plan Rows': rows } })

function ofCitus(rows: number, tasks: number, ofShard: number) {
  const Job = { 'Task Count': tasks, 'Tasks Shown': 'One', Tasks: [{ 'Remote Plan': [[ofPostgres(ofShard)]] }] }
  return { Plan: { 'Node Type': 'Custom Scan', 'Plan Rows': rows, 'Distributed Query': { Job } } }
}

test.each([
  ['Postgres', ofPostgres(880), 880],
  ['one shard', ofCitus(0, 1, 6), 6],
  ['all shards', ofCitus(100_000, 32, 1_130), 36_160],
])('the rows that %s expects', (_case, plan, rows) => {
  expect(plannedRows(JSON.stringify([plan], null, 2))).toBe(rows)
})

test('without a look at shards the plan itself is believed', () => {
  const Job = { 'Task Count': 0, Tasks: [] }
  expect(plannedRows(JSON.stringify([{ Plan: { 'Plan Rows': 3, 'Distributed Query': { Job } } }]))).toBe(3)
})
