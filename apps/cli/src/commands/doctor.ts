import type { Cli } from '../cli.ts'
import { checkDatabase } from '../doctor/database-checks.ts'
import type { Finding } from '../doctor/finding.ts'
import { checkConfig, checkDisk, checkNode, checkPermissions, checkPort } from '../doctor/machine-checks.ts'
import { Failure } from '../failure.ts'
import { loadProject } from '../project/load-project.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** `pando doctor`: looks at everything that `dev` needs and says what to do about each thing that is not well. */
export async function runDoctor(cli: Cli): Promise<void> {
  const project = await loadProject(cli)
  const { listUnreadAuthSettings } = await import('../server/unread-settings.ts')
  const { apiPort, databasePort } = project.settings
  const findings: Finding[] = [
    checkNode(process.versions.node),
    checkDisk(project.root),
    ...checkConfig(project, listUnreadAuthSettings(project.file)),
    checkPermissions(project),
    await checkPort(project, 'api port', cli.options.port ?? apiPort),
    await checkPort(project, 'database port', databasePort),
    ...(await checkDatabase(cli, project)),
  ]
  cli.terminal.result({ findings }, () => findings.map((finding) => render(cli.terminal, finding)).join('\n'))
  const failed = findings.filter(({ state }) => state === 'fail').length
  if (failed > 0) throw new Failure('fault', `${failed} of ${findings.length} checks failed.`)
}

const marks = { ok: ['green', '✓'], warn: ['yellow', '!'], fail: ['red', '✗'] } as const

function render(terminal: Terminal, { subject, state, text, remedy }: Finding): string {
  const [colour, mark] = marks[state]
  const line = `${terminal.paint(colour, mark)} ${subject.padEnd(14)} ${text}`
  return remedy === undefined ? line : `${line}\n${' '.repeat(17)}${terminal.paint('dim', remedy)}`
}
