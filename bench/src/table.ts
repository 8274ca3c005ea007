import { styleText } from 'node:util'
import { listGoals } from './goals.ts'
import type { Row } from './measure.ts'
import { lateMsMax } from './open-loop.ts'
import type { Report } from './report.ts'
import { workloads } from './workloads.ts'

/** Prints what each contender did, Pando's rate over it, and which goals were reached. */
export function printReport(report: Report): void {
  for (const { name, text } of workloads) {
    const rows = report.rows.filter((row) => row.workload === name)
    if (rows.length === 0) continue
    console.log(`\n${styleText('bold', name)}: ${text}`)
    for (const row of rows) console.log(`  ${describeRow(row)}`)
  }
  console.log(`\nIdle memory (RSS, MB): ${JSON.stringify(report.idleRssMb)}`)
  for (const { text, goal, found, isReached } of listGoals(report)) {
    console.log(`${isReached ? styleText('green', '✓') : styleText('red', '✗')} ${text}: ${found} (${goal})`)
  }
}

function describeRow({ peer, load, pandoIs, busyBefore, open }: Row): string {
  return [
    peer.padEnd(13),
    `${formatRate(load.requestsPerSecond)} /s`.padStart(11),
    `p50 ${load.p50Ms.toFixed(1)} ms`.padStart(14),
    Number.isNaN(load.p99Ms) ? ''.padStart(14) : `p99 ${load.p99Ms.toFixed(1)} ms`.padStart(14),
    pandoIs === undefined ? ''.padStart(18) : `pando is ${pandoIs.toFixed(2)} ×`.padStart(18),
    busyBefore > 0.2 ? styleText('yellow', ` machine ${Math.round(busyBefore * 100)} % busy`) : '',
    open === undefined
      ? ''
      : ` · open loop at ${formatRate(open.offeredPerSecond)}/s: p50 ${open.p50Ms.toFixed(1)} p99 ${open.p99Ms.toFixed(1)} ms${open.lateP99Ms > lateMsMax ? ' (generator late: void)' : ''}`,
  ].join('')
}

export function formatRate(perSecond: number): string {
  return Math.round(perSecond).toLocaleString('en')
}
