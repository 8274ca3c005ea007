import { styleText } from 'node:util'

import { formatDuration } from './format.ts'

type Style = Parameters<typeof styleText>[0]

/** How the user wants to be spoken to, from the flags and from what the streams are. */
export type TerminalOptions = {
  readonly json: boolean
  readonly quiet: boolean
  /** A person watches standard error: progress is shown. */
  readonly progress: boolean
  readonly colour: boolean
  /** Standard input and output are a person's terminal: questions may be asked. */
  readonly interactive: boolean
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/**
 * The only way a command speaks. Results go to standard output, everything else to standard error, so that
 * `pando types > database.types.ts` and `pando status --json | jq` get the result alone. With `json` each result is one
 * JSON document on one line and progress is silent.
 */
export type Terminal = {
  readonly json: boolean
  readonly interactive: boolean
  /** A person watches standard error: a bar may be drawn there. */
  readonly watched: boolean
  /** Colours `text` when colours are wanted. */
  paint(style: Style, text: string): string
  /** A result: `text` for people, `value` for programs. */
  result(value: unknown, text: () => string): void
  /** Text on standard output whatever the flags: the user named the form. */
  print(text: string): void
  /** One line of progress; silent with `--quiet` and `--json`, and where nobody watches. */
  say(text: string): void
  done(text: string, ms?: number): void
  /** Something to know; silent with `--quiet` and `--json`. */
  warn(text: string): void
  /** A failure; shown even with `--quiet`. */
  fail(text: string): void
}

export function createTerminal(options: TerminalOptions): Terminal {
  const paint = (style: Style, text: string) =>
    options.colour ? styleText(style, text, { validateStream: false }) : text
  const tell = (text: string) => {
    if (!options.quiet && !options.json) options.err(`${text}\n`)
  }
  const say = (text: string) => {
    if (options.progress) tell(text)
  }
  return {
    json: options.json,
    interactive: options.interactive && !options.json,
    watched: options.progress && !options.quiet && !options.json,
    paint,
    result: (value, text) => options.out(`${options.json ? JSON.stringify(value) : text()}\n`),
    print: (text) => options.out(`${text}\n`),
    say,
    done: (text, ms) =>
      say(`${paint('green', '✓')} ${text}${ms === undefined ? '' : paint('dim', ` ${formatDuration(ms)}`)}`),
    warn: (text) => tell(`${paint('yellow', '!')} ${text}`),
    fail: (text) => options.err(`${paint('red', '✗')} ${text}\n`),
  }
}
