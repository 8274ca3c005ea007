// `npm run bench [-- --quick] [-- --only "one row,feed"] [-- --peers postgres,pando]`: every workload of the data API against
// PostgreSQL alone, Pando and peers, in one run.
import { mkdirSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { writeDocument } from './document.ts'
import { measure } from './measure.ts'
import type { Row } from './measure.ts'
import { measureMemory } from './memory.ts'
import { benchFolder } from './peer.ts'
import type { Peer } from './peer.ts'
import { startParseServer, startPlain, startPocketBase } from './peers.ts'
import { describeRun } from './report.ts'
import type { Report } from './report.ts'
import { copyProject, createDatabase, removeProject, startPando } from './start-pando.ts'
import { measureStartUp } from './start-up.ts'
import { printReport } from './table.ts'
import { verify } from './verify.ts'
import { workloads } from './workloads.ts'

const standard = workloads.filter(({ isCached }) => isCached !== true)
const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    only: { type: 'string', default: ['memory', 'start-up', ...standard.map(({ name }) => name)].join(',') },
    seconds: { type: 'string' },
    peers: { type: 'string', default: 'postgres,pando,plain,parse-server,pocketbase' },
  },
})
const plan = {
  seconds: Number(flags.seconds ?? (flags.quick ? 2 : 5)),
  rounds: flags.quick ? 1 : 5,
  // Node compiles its hot code while the first seconds of load run.
  warmSeconds: flags.quick ? 1 : 5,
  connections: 64,
  calmMsMax: flags.quick ? 0 : 15_000,
}
const asked = new Set(flags.only.split(',').map((name) => name.trim()))
const wanted = new Set(flags.peers.split(',').map((name) => name.trim()))

if (workloads.some(({ name, isCached }) => isCached === true && asked.has(name)))
  process.env['PANDO_CACHE_MODE'] = 'asked'

const startUp = asked.has('start-up') ? await measureStartUp(flags.quick ? 1 : 3) : undefined
const project = copyProject()
const pando = await startPando(project)
const peers: Peer[] = [pando]
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void stopAll().finally(() => process.exit(1)))
try {
  const memory = asked.has('memory') ? await measureMemory(pando, project) : undefined
  if (wanted.has('plain')) peers.push(await startPlain(pando.databaseUrl))
  if (wanted.has('parse-server')) peers.push(await startParseServer(await createDatabase(pando.tcpUrl, 'parse')))
  const pocketBase = wanted.has('pocketbase') ? await startPocketBase() : undefined
  if (pocketBase !== undefined) peers.push(pocketBase)
  const idleRssMb = Object.fromEntries(peers.map((peer) => [peer.name, Math.round(peer.rssMb())]))
  if (memory !== undefined) idleRssMb['pando'] = Math.round(memory.idleMb)

  const postgresUrl = wanted.has('postgres') ? pando.databaseUrl : undefined
  const rows: Row[] = []
  for (const workload of workloads.filter(({ name }) => asked.has(name))) {
    process.stderr.write(`${workload.name} …\n`)
    await verify(workload, peers)
    rows.push(...(await measure(workload, { peers, postgresUrl, plan })))
  }
  const report: Report = { ...(await describeRun(pando.databaseUrl, plan)), startUp, memory, idleRssMb, rows }
  printReport(report)
  saveReport(report)
} finally {
  await stopAll()
}

async function stopAll(): Promise<void> {
  await Promise.all(peers.slice(1).map((peer) => peer.stop()))
  await pando.stop()
  removeProject(project)
}

/** The full result as JSON; with `--write` also as the tables of `docs/performance.md`. */
function saveReport(report: Report): void {
  mkdirSync(`${benchFolder}results`, { recursive: true })
  writeFileSync(`${benchFolder}results/rest.json`, `${JSON.stringify(report, null, 2)}\n`)
  if (flags.write) writeDocument(`${benchFolder}../docs/performance.md`, report)
}
