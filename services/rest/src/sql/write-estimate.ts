import type { CompiledStatement } from '../compiled.ts'
import type { ReadPlan } from '../plan/read-plan.ts'
import { createParameters } from './parameters.ts'
import { writeBareRows } from './write-read.ts'

/** How many rows the planner expects: `count=planned`, and `count=estimated` when there are too many to count. */
export function writeEstimate(read: ReadPlan): CompiledStatement {
  const params = createParameters()
  const text = `explain (format json) ${writeBareRows(read, params)}`
  return { text, params: params.sources }
}
