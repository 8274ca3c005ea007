import type { LogOutput } from '@pando/telemetry/logger'

import type { Terminal } from '../terminal/terminal.ts'

type Line = { readonly level?: string; readonly msg?: string; readonly err?: { readonly message?: string } }

const isBad = new Set(['error', 'fatal'])

/** Shows the server's log lines to the person who runs `dev`: what happened in one line, without the JSON around it. */
export function createLogView(terminal: Terminal): LogOutput {
  const write = (line: string) => {
    const { level = '', msg = '', err } = JSON.parse(line) as Line
    const text = err?.message === undefined ? msg : `${msg}: ${err.message}`
    if (isBad.has(level)) terminal.fail(text)
    else if (level === 'warn') terminal.warn(text)
    else terminal.say(terminal.paint('dim', text))
  }
  return { write, writeLater: write, close: () => undefined }
}
