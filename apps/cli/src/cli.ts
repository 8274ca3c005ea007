import type { Environment } from './project/env-files.ts'
import type { Terminal } from './terminal/terminal.ts'

/** Options that every command understands. */
export type GlobalOptions = {
  readonly project?: string
  readonly port?: number
  readonly dbUrl?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly color?: boolean
}

/** Everything a command gets from outside: the terminal, the shell's variables, where it was started, and the time. */
export type Cli = {
  readonly terminal: Terminal
  readonly environment: Environment
  readonly workingFolder: string
  readonly now: () => Date
  readonly options: GlobalOptions
  readonly version: string
}
