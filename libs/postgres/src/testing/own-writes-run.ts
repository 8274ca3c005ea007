import { systemClock } from '@pando/core/clock'
import { deadlineIn } from '@pando/core/deadline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Exchange, Statement } from '../exchange.ts'
import type { TestServer } from './replicated-cluster.ts'
import type { ReplicatedHouse } from './replicated-house.ts'

export type OwnWritesRun = {
  readonly callers: number
  /** Reads and writes together. */
  readonly operations: number
  /** Each replica's delay is drawn anew between 0 and this, again and again. */
  readonly delayMsMax: number
  /** How often. */
  readonly redrawMs: number
  /** A number in [0, 1). */
  readonly random: () => number
}

export type OwnWritesFound = {
  readonly writes: number
  readonly reads: number
  readonly readsByReplicas: number
  /** Reads that showed less than the caller had written. */
  readonly violations: number
}

/** One row for each caller, which only they write. */
export const countersSql = `
  create table counters (caller int primary key, n int not null);
  insert into counters select caller, 0 from generate_series(0, 999) as caller;
  grant all on counters to anon;`

const addOne: Statement['text'] = 'update counters set n = n + 1 where caller = $1 returning n'
const look: Statement['text'] =
  'select n, case when pg_is_in_recovery() then 1 else 0 end from counters where caller = $1'

/** Lets callers write and read what is theirs, one after the other, while the replicas lag more and less. */
export async function runOwnWrites(
  { pools }: ReplicatedHouse,
  replicas: readonly TestServer[],
  run: OwnWritesRun,
): Promise<OwnWritesFound> {
  const found = { writes: 0, reads: 0, readsByReplicas: 0, violations: 0 }
  const written = Array.from({ length: run.callers }, () => 0)
  let left = run.operations

  const ask = async (text: string, caller: number, access: Exchange['access']): Promise<number[]> => {
    const [result] = await pools.run({
      role: 'anon',
      access,
      statements: [{ text, params: [String(caller)] }],
      deadline: deadlineIn(systemClock, 30_000),
      consistency: { caller: String(caller) },
    })
    return result!.rows[0]!.map(Number)
  }
  const live = async (caller: number): Promise<void> => {
    while (left-- > 0) {
      if (run.random() < 0.1) {
        written[caller] = (await ask(addOne, caller, 'write'))[0]!
        found.writes++
        continue
      }
      const [n, byReplica] = await ask(look, caller, 'read')
      found.reads++
      found.readsByReplicas += byReplica!
      if (n! < written[caller]!) found.violations++
    }
  }
  const over = new AbortController()
  const redraw = async (replica: TestServer): Promise<void> => {
    while (!over.signal.aborted) {
      // Half of the time there is none, as a replica that always lags answers nobody.
      const delayMs = run.random() < 0.5 ? 0 : Math.floor(run.random() * run.delayMsMax)
      await replica.query(`alter system set recovery_min_apply_delay = ${delayMs}`)
      await replica.query('select pg_reload_conf()')
      await sleep(run.redrawMs, undefined, { signal: over.signal }).catch(() => undefined)
    }
    await replica.query('alter system reset recovery_min_apply_delay')
    await replica.query('select pg_reload_conf()')
  }
  const redrawing = replicas.map(redraw)
  await Promise.all(Array.from({ length: run.callers }, (_, caller) => live(caller)))
  over.abort()
  await Promise.all(redrawing)
  return found
}
