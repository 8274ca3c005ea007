import type { Report } from './report.ts'
import { workloads } from './workloads.ts'

/** Something that was to be reached, and what was. */
export type Goal = {
  readonly text: string
  readonly goal: string
  readonly found: string
  readonly isReached: boolean
}

/** Every goal that this run can speak of. */
export function listGoals(report: Report): Goal[] {
  return [...ratioGoals(report), ...memoryGoals(report), ...startUpGoals(report)]
}

function ratioGoals({ rows }: Report): Goal[] {
  return workloads.flatMap(({ name, toReach }) =>
    Object.entries(toReach).flatMap(([peer, least]) => {
      const ratio = rows.find((row) => row.workload === name && row.peer === peer)?.pandoIs
      if (ratio === undefined) return []
      const text = `${name}, against ${peer === 'postgres' ? 'PostgreSQL alone' : peer}`
      return [{ text, goal: `≥ ${least} ×`, found: `${ratio.toFixed(2)} ×`, isReached: ratio >= least }]
    }),
  )
}

function memoryGoals({ memory }: Report): Goal[] {
  if (memory === undefined) return []
  const { idleMb, postgresMb, largeInsert } = memory
  const goals = [
    atMost('idle memory of Node', { most: 130, found: idleMb, unit: 'MB' }),
    atMost('growth during an insert of 50 MB of JSON', { most: 100, found: largeInsert.grewMb, unit: 'MB' }),
  ]
  if (postgresMb === undefined) return goals
  return [...goals, atMost('idle memory with embedded Postgres', { most: 300, found: idleMb + postgresMb, unit: 'MB' })]
}

function startUpGoals({ startUp }: Report): Goal[] {
  if (startUp === undefined) return []
  return [
    atMost('ready on an existing folder', { most: 2, found: startUp.existingMs / 1000, unit: 's' }),
    atMost('ready on a new folder, with 100,000 rows of seed', { most: 5, found: startUp.newMs / 1000, unit: 's' }),
  ]
}

function atMost(text: string, { most, found, unit }: { most: number; found: number; unit: string }): Goal {
  const digits = unit === 's' ? 2 : 0
  return { text, goal: `≤ ${most} ${unit}`, found: `${found.toFixed(digits)} ${unit}`, isReached: found <= most }
}
