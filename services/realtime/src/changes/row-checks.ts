import type { ChangesObservation, ChangesPort, Question, Verdict } from './deps.ts'

export type RowChecksDeps = {
  readonly port: Pick<ChangesPort, 'checkRows'>
  /** Round trips at once; a table has one of them at most. */
  readonly checksInFlightMax: number
  /** Callers in one round trip; a question is never split. */
  readonly checkCallersMax: number
  /** Questions of one table that wait; above it they are refused. */
  readonly checkQueueMax: number
  readonly observe: (observation: ChangesObservation) => void
}

type Waiting = {
  readonly question: Question
  readonly resolve: (verdicts: readonly Verdict[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * Collects questions so that few round trips answer many: what comes up while a table's questions are under way waits
 * and goes together. Tables do not wait for each other's slow policies, unless all round trips are taken.
 */
export type RowChecks = {
  /** Most callers of one question. */
  readonly callersMax: number
  /** Rejects when too much waits, or when Postgres answers with an error. */
  ask(table: string, question: Question): Promise<readonly Verdict[]>
}

export function createRowChecks(deps: RowChecksDeps): RowChecks {
  const waiting = new Map<string, Waiting[]>()
  const busy = new Set<string>()
  let isScheduled = false

  const send = (): void => {
    isScheduled = false
    for (const [table, all] of waiting) {
      if (busy.size >= deps.checksInFlightMax) return
      if (busy.has(table)) continue
      const batch = takeBatch(all, deps.checkCallersMax)
      if (all.length === 0) waiting.delete(table)
      busy.add(table)
      void answer(deps, table, batch).finally(() => {
        busy.delete(table)
        send()
      })
    }
  }
  return {
    callersMax: deps.checkCallersMax,
    ask(table, question) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly Verdict[]>()
      const all = waiting.get(table) ?? []
      if (all.length >= deps.checkQueueMax) return refuse(deps, table)
      waiting.set(table, all)
      all.push({ question, resolve, reject })
      // After what is being decided now has asked all that it wants to know.
      if (!isScheduled) queueMicrotask(send)
      isScheduled = true
      return promise
    },
  }
}

function refuse({ checkQueueMax, observe }: RowChecksDeps, table: string): Promise<never> {
  const error = new Error(
    `${checkQueueMax} questions about ${table} wait: its policies take longer than its changes come`,
  )
  observe({ kind: 'checkFailed', table, error })
  return Promise.reject(error)
}

const countCallers = (question: Question): number => (question.kind === 'row' ? question.callers.length : 1)

function takeBatch(all: Waiting[], callersMax: number): readonly Waiting[] {
  let size = 0
  let callers = 0
  while (size < all.length && (size === 0 || callers + countCallers(all[size]!.question) <= callersMax)) {
    callers += countCallers(all[size]!.question)
    size += 1
  }
  return all.splice(0, size)
}

async function answer(deps: RowChecksDeps, table: string, batch: readonly Waiting[]): Promise<void> {
  const questions = batch.map(({ question }) => question)
  try {
    const answers = await deps.port.checkRows(questions)
    const callers = questions.reduce((sum, question) => sum + countCallers(question), 0)
    deps.observe({ kind: 'checked', questions: questions.length, callers })
    for (const [at, { resolve }] of batch.entries()) resolve(answers[at]!.map((verdict) => note(deps, table, verdict)))
  } catch (error) {
    deps.observe({ kind: 'checkFailed', table, error })
    for (const { reject } of batch) reject(error)
  }
}

/** A policy or a condition that raises holds for nobody. */
function note({ observe }: RowChecksDeps, table: string, verdict: Verdict): Verdict {
  if (typeof verdict !== 'object' || verdict === null) return verdict
  observe({ kind: 'policyFailed', table, error: verdict.error })
  return false
}
