import { createInterface } from 'node:readline/promises'

import { Failure } from '../failure.ts'
import type { Terminal } from './terminal.ts'

/**
 * Asks before something is lost. Returns when the answer is yes or `yes` was given as an option; off a terminal the
 * option is needed. Throws a `Failure` otherwise.
 */
export async function confirm(terminal: Terminal, question: string, options: { yes?: boolean }): Promise<void> {
  if (options.yes === true) return
  if (!terminal.interactive)
    throw new Failure('usage', `${question} Nobody is there to answer.`, { remedy: 'Run it again with --yes.' })
  const reader = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await reader.question(
      `${terminal.paint('yellow', '?')} ${question} ${terminal.paint('dim', '[y/N]')} `,
    )
    if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('interrupted', 'Nothing was changed.')
  } finally {
    reader.close()
  }
}
