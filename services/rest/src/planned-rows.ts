/** What is looked at of `explain (format json)`. */
type Plan = { readonly 'Plan Rows': number; readonly 'Distributed Query'?: { readonly Job: Job } }

/** One statement for each shard that Citus asks; one of them is explained, for all. */
type Job = { readonly 'Task Count': number; readonly Tasks: readonly Task[] }

type Task = { readonly 'Remote Plan': readonly (readonly Explained[])[] }

type Explained = { readonly Plan: Plan }

/** How many rows the planner expects of a statement. Citus itself expects none or 100,000: its workers know more. */
export function plannedRows(explained: string): number {
  const [{ Plan: plan }] = JSON.parse(explained) as [Explained]
  const job = plan['Distributed Query']?.Job
  const ofShard = job?.Tasks[0]?.['Remote Plan'][0]?.[0]?.Plan
  return job === undefined || ofShard === undefined ? plan['Plan Rows'] : job['Task Count'] * ofShard['Plan Rows']
}
