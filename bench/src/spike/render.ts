import type { Goal } from '../goals.ts'
import { contenderNames, renderTable } from '../document.ts'
import { lateMsMax } from '../open-loop.ts'
import { goodput, listSpikeGoals } from './figures.ts'
import type { SpikeRow } from './run.ts'
import { type Scenario, scenarios } from './scenarios.ts'

/** The part of a document about one run: for each scenario a table, a chart and the goals. */
export function renderSpike(rows: readonly SpikeRow[]): string[] {
  return scenarios.flatMap((scenario) => {
    const of = rows.filter((row) => row.scenario === scenario.name)
    return of.length === 0 ? [] : renderScenario(scenario, of)
  })
}

function renderScenario({ name, text }: Scenario, rows: readonly SpikeRow[]): string[] {
  const goals = rows.filter(({ contender }) => contender === 'pando').flatMap(listSpikeGoals)
  return [
    `**${name}**: ${text}.`,
    '',
    ...renderTable(
      ['offered', ...rows.map(describeColumn)],
      rows[0]!.stages.map(({ times }, stage) => [`× ${times}`, ...rows.map((row) => describeStage(row, stage))]),
    ),
    '',
    '```text',
    ...renderChart(rows),
    '```',
    '',
    ...renderGoals(goals),
    '',
  ]
}

const describeColumn = ({ contender, lateP99Ms }: SpikeRow): string =>
  `${contenderNames[contender]!}: good/s, p99${lateP99Ms > lateMsMax ? ' (generator late: void)' : ''}`

function describeStage({ stages }: SpikeRow, index: number): string {
  const stage = stages[index]!
  return `${goodput(stage).toFixed(0)}, ${stage.all.good === 0 ? '–' : `${stage.all.p99Ms.toFixed(0)} ms`}`
}

export function renderGoals(goals: readonly Goal[]): string[] {
  return renderTable(
    ['goal', 'to reach', 'found', 'reached'],
    goals.map(({ text, goal, found, isReached }) => [text, goal, found, isReached ? 'yes' : '**no**']),
  )
}

const width = 40

/** Goodput of each stage as a share of what the server could do, as bars. */
function renderChart(rows: readonly SpikeRow[]): string[] {
  const bar = (share: number): string => '█'.repeat(Math.round(width * Math.min(1, share))).padEnd(width, '·')
  return rows[0]!.stages.flatMap(({ times }, stage) =>
    rows.map((row, index) => {
      const share = goodput(row.stages[stage]!) / row.capacityPerSecond
      const label = index === 0 ? `× ${times}` : ''
      return `${label.padEnd(6)} ${contenderNames[row.contender]!.replaceAll('`', '').padEnd(13)} ${bar(share)} ${Math.round(100 * share)} %`
    }),
  )
}

/** What a run says on the terminal. */
export function printSpike(row: SpikeRow): void {
  const isVoid = row.lateP99Ms > lateMsMax ? ` (generator late by ${row.lateP99Ms.toFixed(1)} ms: void)` : ''
  console.log(`\n${row.scenario}, ${row.contender}: can do ${row.capacityPerSecond.toFixed(0)} a second${isVoid}`)
  for (const stage of row.stages) {
    const { all, kinds, times, rssMb } = stage
    const shares = Object.entries(kinds).map(([name, { good, sent }]) => `${name} ${good}/${sent}`)
    console.log(
      `  × ${String(times).padEnd(4)} good ${goodput(stage).toFixed(0).padStart(5)}/s  p50 ${all.p50Ms.toFixed(0)} p99 ${all.p99Ms.toFixed(0)} ms  ` +
        `refused ${all.refused} (p99 ${all.refusedP99Ms.toFixed(1)} ms) failed ${all.failed}  ${rssMb.toFixed(0)} MB  ${shares.join(' ')}`,
    )
  }
  if (row.contender !== 'pando') return
  for (const { text, goal, found, isReached } of listSpikeGoals(row))
    console.log(`  ${isReached ? '✓' : '✗'} ${text}: ${found} (${goal})`)
}
