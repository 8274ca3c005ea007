import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { styleText } from 'node:util'
import { checkAsvs } from './asvs.ts'
import { checkLayers } from './check-layers.ts'
import { checkPaths } from './check-paths.ts'
import { checkTyped, projects } from './check-types.ts'
import { checkGenerated } from './generate.ts'
import { findLookedAway } from './count-looked-at.ts'
import { root } from './source-files.ts'

/** A gate answers with its complaints; none means passed. */
type Gate = { readonly name: string; readonly run: () => Promise<string[]> | string[] }

const gates: readonly Gate[] = [
  { name: 'types', run: async () => (await Promise.all(projects.map(compile))).flat() },
  { name: 'types of every file', run: checkTyped },
  { name: 'lint', run: () => command('oxlint', ['--quiet'], findLookedAway) },
  { name: 'format', run: () => command('oxfmt', ['--check'], findLookedAway) },
  { name: 'unused', run: () => command('knip', knipArgs, findUnlooked) },
  { name: 'layers', run: checkLayers },
  { name: 'paths in documents', run: checkPaths },
  { name: 'security requirements', run: () => checkAsvs() },
  { name: 'generated documents', run: checkGenerated },
]

const knipArgs = [
  '--no-progress',
  '--no-config-hints',
  '--reporter',
  'symbols',
  '--reporter',
  './tools/knip-file-count.ts',
]
/** The bench is no workspace. */
const findUnlooked = (printed: string): string[] => findLookedAway(printed, /^(?!bench\/).+\/.+\.ts$/)

const compile = (project: string): Promise<string[]> => command('tsc', ['--project', project])

/** `inspect` may find fault with what a program printed that was content. */
function command(
  name: string,
  args: readonly string[],
  inspect: (printed: string) => string[] = () => [],
): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(root, 'node_modules', '.bin', name), args, { cwd: root })
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => {
      const printed = Buffer.concat(output).toString().trim()
      resolve(code === 0 ? inspect(printed) : [printed || `${name} exited with ${code}`])
    })
  })
}

const outcomes = await Promise.all(
  gates.map(async (gate) => {
    const startedAt = performance.now()
    const complaints = await Promise.try(gate.run).catch((error: unknown) => [String(error)])
    return { name: gate.name, complaints, seconds: (performance.now() - startedAt) / 1000 }
  }),
)
for (const { name, complaints, seconds } of outcomes) {
  const passed = complaints.length === 0
  console.log(
    `${passed ? styleText('green', '✓') : styleText('red', '✗')} ${name} ${styleText('dim', `${seconds.toFixed(1)} s`)}`,
  )
  for (const complaint of complaints) console.log(`  ${complaint.replaceAll('\n', '\n  ')}`)
}
process.exitCode = outcomes.some((outcome) => outcome.complaints.length > 0) ? 1 : 0
