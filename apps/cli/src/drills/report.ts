import type { Found, Report, Stage, Verdict } from './drill.ts'
import { judge } from './drill.ts'
import { quantile, round, toHistogram, toSeconds } from './load/figures.ts'
import type { Sent } from './load/open-loop.ts'

type Ran = {
  readonly drill: string
  readonly steps: Report['steps']
  readonly nodes: number
  readonly seed: Stage['seed']
}

/** What a drill found, with a verdict for each promise and one for all. */
export function toReport({ drill, steps, nodes, seed }: Ran, found: Found): Report {
  const { promise, phases, sent, losses } = found
  const lates = sent.map(({ lateMs }) => lateMs).sort((one, other) => one - other)
  const generatorLateP99Ms = round(quantile(lates, 0.99))
  const checks = found.checks.map((check) => ({ ...check, verdict: judge(check, generatorLateP99Ms) }))
  return {
    drill,
    promise,
    outcome: judgeAll(checks.map(({ verdict }) => verdict)),
    checks,
    generatorLateP99Ms,
    steps,
    phases,
    seconds: toSeconds(sent),
    histogram: toHistogram(sent),
    failures: countFailures(sent),
    ...(losses !== undefined && { losses }),
    seed,
    nodes,
  }
}

function judgeAll(verdicts: readonly Verdict[]): Report['outcome'] {
  if (verdicts.includes('broken')) return 'fail'
  return verdicts.includes('void') ? 'void' : 'pass'
}

const reasonsMax = 10

function countFailures(sent: readonly Sent[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { kind, why } of sent) {
    if (why === undefined) continue
    const name = `${kind}: ${why}`
    if (name in counts || Object.keys(counts).length < reasonsMax) counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}
