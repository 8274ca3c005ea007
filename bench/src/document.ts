import { readFileSync, writeFileSync } from 'node:fs'
import { listGoals } from './goals.ts'
import { lateMsMax } from './open-loop.ts'
import type { Report } from './report.ts'
import { formatRate } from './table.ts'
import { workloads } from './workloads.ts'

/** Puts the tables of a report between the two marks of `file`. */
export function writeDocument(file: string, report: Report): void {
  writeBetween(file, 'npm run bench -- --write', renderReport(report))
}

/** Puts lines between the mark of the command that writes them and the next mark of an end in `file`. */
export function writeBetween(file: string, command: string, lines: readonly string[]): void {
  const [begin, end] = [`<!-- Written by \`${command}\` -->`, '<!-- End of what is written -->']
  const text = readFileSync(file, 'utf8')
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  if (from === -1 || to === -1) throw new Error(`${file} must have the lines ${begin} and ${end}.`)
  writeFileSync(file, `${text.slice(0, from)}${begin}\n\n${lines.join('\n')}\n${text.slice(to)}`)
}

export const contenderNames: Readonly<Record<string, string>> = {
  postgres: 'PostgreSQL alone',
  pando: 'Pando',
  plain: 'Fastify + `pg`',
  'parse-server': 'Parse Server',
  pocketbase: 'PocketBase',
}

function renderReport(report: Report): string[] {
  const { machine, versions, plan } = report
  const { seconds, rounds, connections } = plan
  return [
    `Measured ${report.at.slice(0, 10)} at commit ${report.commit}, on ${machine.cores} × ${machine.cpu}, ${machine.memoryGb} GB, ${machine.system}.`,
    `Node ${versions['node']}, PostgreSQL ${versions['postgres']}, Fastify ${versions['fastify']}, pg ${versions['pg']}, Parse Server ${versions['parse-server']}, PocketBase ${versions['pocketbase']}.`,
    `Each figure is the middle of ${rounds} rounds of ${seconds} s with ${connections} connections (pgbench: 16); pinning: ${report.pinning}.`,
    '',
    ...renderRates(report),
    '',
    ...renderGoals(report),
    '',
    ...renderLatencies(report),
  ]
}

function renderRates({ rows }: Report): string[] {
  const peers = Object.keys(contenderNames).filter((name) => rows.some(({ peer }) => peer === name))
  const header = ['requests per second', ...peers.map((peer) => contenderNames[peer]!)]
  const body = workloads
    .filter(({ name }) => rows.some(({ workload }) => workload === name))
    .map(({ name, text }) => [
      `**${name}**: ${text}`,
      ...peers.map((peer) => {
        const row = rows.find((one) => one.workload === name && one.peer === peer)
        if (row === undefined) return '–'
        const ratio = row.pandoIs === undefined ? '' : ` (Pando is ${row.pandoIs.toFixed(2)} ×)`
        return `${formatRate(row.load.requestsPerSecond)}${ratio}`
      }),
    ])
  return renderTable(header, body)
}

function renderGoals(report: Report): string[] {
  const body = listGoals(report).map(({ text, goal, found, isReached }) => [
    text,
    goal,
    found,
    isReached ? 'yes' : '**no**',
  ])
  return renderTable(['goal', 'to reach', 'found', 'reached'], body)
}

function renderLatencies({ rows }: Report): string[] {
  const body = rows.flatMap(({ workload, peer, open }) =>
    open === undefined
      ? []
      : [
          [
            `${workload}, ${contenderNames[peer]!}`,
            formatRate(open.offeredPerSecond),
            ...[open.p50Ms, open.p99Ms].map((ms) => ms.toFixed(1)),
            open.lateP99Ms.toFixed(1) + (open.lateP99Ms > lateMsMax ? ' (void)' : ''),
          ],
        ],
  )
  if (body.length === 0) return []
  return renderTable(
    ['latency at half of the capacity (open loop)', 'offered/s', 'p50 ms', 'p99 ms', 'of which generator late, p99 ms'],
    body,
  )
}

export function renderTable(header: readonly string[], body: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(header), line(header.map(() => '---')), ...body.map(line)]
}
