import type { Command } from 'commander'

/** Adds a command that explains itself: what it does, all options, examples. */
export function command(parent: Command, name: string, description: string, lines: readonly string[]): Command {
  return parent
    .command(name)
    .description(description)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', examples(lines))
}

/** Lines of help that can be copied. */
export const examples = (lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`
