// `npm run bench -- fleet [--quick] [--only hop,kept,own-writes] [--write]`: what a fleet costs and gives. Gateway, processes, Postgres and
// the generator share the cores of this machine.
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { writeBetween } from '../document.ts'
import type { Goal } from '../goals.ts'
import { benchFolder } from '../peer.ts'
import { describeRun } from '../report.ts'
import { renderGoals } from '../spike/render.ts'
import { copyProject, removeProject, startPando } from '../start-pando.ts'
import { formatRate } from '../table.ts'
import { measureHop } from './hop.ts'
import { measureKept } from './kept.ts'
import { measureOwnWrites } from './own-writes.ts'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string', default: 'hop,kept,own-writes' },
  },
})
const plan = {
  seconds: flags.quick ? 2 : 5,
  rounds: flags.quick ? 3 : 5,
  warmSeconds: flags.quick ? 2 : 5,
  operations: flags.quick ? 20_000 : 1_000_000,
}
const asked = new Set(flags.only.split(','))

const goals: Goal[] = []
const results: Record<string, unknown> = {}
if (asked.has('hop')) {
  const hop = (results['hop'] = await measureHop(plan))
  goals.push({
    text: 'processor time of a gateway for a request',
    goal: '≤ 60 µs',
    found: `${hop.passedMicros.toFixed(0)} µs (${hop.ownMicros.toFixed(0)} µs if it answers itself)`,
    isReached: hop.passedMicros <= 60,
  })
}
if (asked.has('own-writes')) {
  const own = (results['ownWrites'] = await measureOwnWrites(plan.operations))
  goals.push({
    text: 'stale reads of own writes, replicas that lag 0–5 s',
    goal: '0',
    found: `${own.violations} of ${formatRate(own.reads)} reads, ${formatRate(own.readsByReplicas)} by replicas`,
    isReached: own.violations === 0 && own.readsByReplicas > 0,
  })
}
const project = copyProject()
const pando = await startPando(project)
try {
  if (asked.has('kept')) {
    const kept = (results['kept'] = await measureKept(pando, plan))
    const rates = ({ over, under }: { over: number; under: number }): string =>
      `${formatRate(over)} of ${formatRate(under)} a second`
    goals.push(
      {
        text: 'feed from kept answers, of the same from Postgres',
        goal: '≥ 3 ×',
        found: `${kept.keptIs.toFixed(2)} × (${rates({ over: kept.kept, under: kept.asked })})`,
        isReached: kept.keptIs >= 3,
      },
      {
        text: 'two processes on two processors, of one on one, where Postgres is not the limit',
        goal: '≥ 1.7 ×',
        found: `${kept.twoAre.toFixed(2)} × (${rates({ over: kept.keptByTwo, under: kept.keptByOne })})`,
        isReached: kept.twoAre >= 1.7,
      },
    )
  }
  const report = { ...(await describeRun(pando.databaseUrl, plan)), ...results }
  mkdirSync(`${benchFolder}results`, { recursive: true })
  writeFileSync(`${benchFolder}results/fleet.json`, `${JSON.stringify(report, null, 2)}\n`)
  for (const { text, goal, found, isReached } of goals)
    console.log(`${isReached ? '✓' : '✗'} ${text}: ${found} (${goal})`)
  if (flags.write)
    writeBetween(`${benchFolder}../docs/performance.md`, 'npm run bench -- fleet --write', [
      `Measured ${report.at.slice(0, 10)} at commit ${report.commit}; generator, processes and Postgres share all cores.`,
      '',
      ...renderGoals(goals),
    ])
} finally {
  await pando.stop()
  removeProject(project)
}
