import { Failure } from '../failure.ts'

/** Throws when a process may not have so many files open: nodes and bad phones need no more than a process of the gateway. */
export function mustAllowFiles(needed: number): void {
  const allowed = readFilesMax()
  if (allowed >= needed) return
  throw new Failure(
    'usage',
    `A process may have ${allowed} files open, and the gateway of this drill needs ${needed}.`,
    {
      remedy: `Allow more (ulimit -n ${needed}), or ask for fewer with --connections.`,
    },
  )
}

/** Node has raised its own limit as far as it may. */
function readFilesMax(): number {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report
  // Otherwise it looks up the names of all peers.
  report.excludeNetwork = true
  const { userLimits } = report.getReport() as { userLimits?: { open_files: { soft: number | 'unlimited' } } }
  const soft = userLimits?.open_files.soft
  return typeof soft === 'number' ? soft : Infinity
}
