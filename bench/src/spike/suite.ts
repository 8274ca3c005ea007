// `npm run bench -- spike [--quick] [--only waits,computes] [--peers pando,plain,…] [--write]`: each server is offered up to ten times what it
// can do, arrivals on a schedule. Servers and Postgres share one processor, the generator has another.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { writeBetween } from '../document.ts'
import { benchFolder } from '../peer.ts'
import { describeRun } from '../report.ts'
import { copyProject, removeProject, startPando } from '../start-pando.ts'
import { startOthers, toPandoContender } from './contenders.ts'
import { printSpike, renderSpike } from './render.ts'
import { runSpike, type SpikePlan, type SpikeRow } from './run.ts'
import { scenarios, toStages } from './scenarios.ts'

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string', default: scenarios.map(({ name }) => name).join(',') },
    peers: { type: 'string', default: 'pando,plain,parse-server,pocketbase' },
    seed: { type: 'string', default: '1' },
  },
})
const [serverCores, generatorCores] = ['0', '1']
const plan: SpikePlan = {
  stages: toStages(flags.quick ? { seconds: 5, spikeSeconds: 15 } : { seconds: 15, spikeSeconds: 60 }),
  capacitySeconds: flags.quick ? 3 : 5,
  seed: Number(flags.seed),
  voidRunsMax: flags.quick ? 1 : 3,
  calmMsMax: flags.quick ? 0 : 15_000,
  generatorCores,
}
const asked = new Set(flags.only.split(','))
const wanted = new Set(flags.peers.split(','))

// What this process starts inherits it, Postgres too.
pinSelf(serverCores)
const project = copyProject()
const pando = await startPando(project)
const started: { stop: () => Promise<void> }[] = [pando]
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void stopAll().finally(() => process.exit(1)))
try {
  const own = await toPandoContender(pando)
  const rows: SpikeRow[] = []
  const pinning = `servers and Postgres on processor ${serverCores}, the generator on ${generatorCores}`
  const report = { ...(await describeRun(pando.databaseUrl, plan)), pinning, rows }
  mkdirSync(`${benchFolder}results`, { recursive: true })
  for (const scenario of scenarios.filter(({ name }) => asked.has(name))) {
    // Anew for each: what a spike leaves in their queues takes some of them minutes.
    const others = await startOthers(pando, wanted)
    started.push(...others)
    for (const contender of [own, ...others]) {
      const row = await runSpike(contender, scenario, plan)
      if (row === undefined) continue
      rows.push(row)
      printSpike(row)
      // Each time, as all of it takes half an hour.
      writeFileSync(`${benchFolder}results/spike.json`, `${JSON.stringify(report, null, 2)}\n`)
    }
    await Promise.all(started.splice(1).map((each) => each.stop()))
  }
  if (flags.write)
    writeBetween(`${benchFolder}../docs/performance.md`, 'npm run bench -- spike --write', [
      `Measured ${report.at.slice(0, 10)} at commit ${report.commit}; ${pinning}.`,
      '',
      ...renderSpike(rows),
    ])
} finally {
  await stopAll()
}

async function stopAll(): Promise<void> {
  await Promise.all(
    started
      .splice(0)
      .reverse()
      .map((each) => each.stop()),
  )
  removeProject(project)
}

function pinSelf(cores: string): void {
  const { status, stderr } = spawnSync('taskset', ['-acp', cores, String(process.pid)], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`taskset did not pin this process (Debian: util-linux): ${stderr}`)
}
