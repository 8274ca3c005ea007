import { formatTable } from '../terminal/format.ts'
import type { Terminal } from '../terminal/terminal.ts'
import type { Report } from './drill.ts'
import { lateMsMax } from './drill.ts'

/** A report for people: what was done, a chart of the seconds, figures, and a verdict for each promise. */
export function renderReport(terminal: Terminal, report: Report): string {
  const { paint } = terminal
  const [style, word] = outcomes[report.outcome]
  return [
    paint('bold', report.drill),
    ...report.steps.map(({ atMs, text }) => paint('dim', `${(atMs / 1000).toFixed(1).padStart(7)} s  ${text}`)),
    '',
    ...renderChart(report.seconds),
    '',
    ...renderPhases(report),
    ...renderFailures(report),
    '',
    `Promise: ${report.promise}`,
    ...report.checks.map((check) => {
      const [colour, mark] = marks[check.verdict]
      return `${paint(colour, mark)} ${check.name}: ${check.figure === null ? 'never' : `${check.figure}${toUnit(check.unit)}`} ${paint('dim', `(${toReach(check)})`)}`
    }),
    paint(style, word(report)),
  ].join('\n')
}

const marks = { kept: ['green', '✓'], broken: ['red', '✗'], void: ['yellow', '?'] } as const

const outcomes = {
  pass: ['green', () => 'pass'],
  fail: ['red', () => 'fail'],
  void: [
    'yellow',
    ({ generatorLateP99Ms }: Report) =>
      `void: the load came late (p99 ${generatorLateP99Ms} ms, ${lateMsMax} ms at most); times say nothing on a machine that is this busy`,
  ],
} as const

const toUnit = (unit: string): string => (unit === '' ? '' : ` ${unit}`)

function toReach({ most, least, unit }: Report['checks'][number]): string {
  const bounds = [least === undefined ? [] : [`at least ${least}`], most === undefined ? [] : [`at most ${most}`]]
  return `${bounds.flat().join(', ')}${toUnit(unit)}`
}

const columnsMax = 100

function renderChart(seconds: Report['seconds']): string[] {
  const line = (name: string, figures: readonly number[], unit: string): string =>
    `${name.padEnd(9)}${toSparkline(squeeze(figures, columnsMax))} ${Math.max(0, ...figures)} ${unit} at most`
  return [
    line(
      'answers',
      seconds.map(({ answered }) => answered),
      'a second',
    ),
    line(
      'p99',
      seconds.map(({ p99Ms }) => p99Ms),
      'ms',
    ),
  ]
}

/** So many figures at most, each the largest of its neighbours. */
function squeeze(figures: readonly number[], columns: number): number[] {
  const width = Math.ceil(figures.length / columns)
  return Array.from({ length: Math.ceil(figures.length / width) }, (_, at) =>
    Math.max(...figures.slice(at * width, (at + 1) * width)),
  )
}

const bars = ' ▁▂▃▄▅▆▇█'

/** A column for each figure, as high as its share of the largest; nothing for 0. */
export function toSparkline(figures: readonly number[]): string {
  const most = Math.max(...figures, Number.MIN_VALUE)
  return figures.map((figure) => bars[Math.ceil((figure / most) * (bars.length - 1))]).join('')
}

const heading = ['phase', 's', 'offered/s', 'answered/s', 'refused', 'failed', 'p50 ms', 'p99 ms', 'longest ms']

function renderPhases({ phases }: Report): string[] {
  const rows = phases.map((phase) =>
    [
      phase.name,
      phase.seconds,
      phase.offeredPerSecond,
      phase.answeredPerSecond,
      phase.refused,
      phase.failed,
      phase.p50Ms,
      phase.p99Ms,
      phase.maxMs,
    ].map(String),
  )
  return formatTable(heading, rows)
}

function renderFailures({ failures, losses }: Report): string[] {
  const told =
    losses === undefined
      ? []
      : [
          `${losses.acknowledgedWrites} writes were acknowledged; ${losses.events} events were due to ${losses.followers} followers, who were told ${losses.toldToFetch} times to fetch again`,
        ]
  return [...told, ...Object.entries(failures).map(([why, count]) => `${count} × ${why}`)]
}
