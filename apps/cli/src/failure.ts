/**
 * What a command's end means to the script that called it. Documented in `docs/guides/cli.md` and in `pando --help`.
 */
export const exitCodes = {
  ok: 0,
  /** A fault of Pando itself, or `doctor` found something that needs work. */
  fault: 1,
  /** A wrong option, argument or command. */
  usage: 2,
  /** The project folder: missing, or mistakes in `config.toml`, keys or file names. */
  project: 3,
  /** The database: unreachable, or a migration or seed that failed. */
  database: 4,
  /** A port or the project folder is held by another program. */
  busy: 5,
  /** The API of a running project: it does not answer, or refuses. */
  api: 6,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const

export type ExitReason = Exclude<keyof typeof exitCodes, 'ok'>

/** An expected end of a command: what was wrong, with which value, and what to do, plus the exit code that tells it. */
export class Failure extends Error {
  readonly reason: ExitReason
  /** What to do, shown on a line of its own. */
  readonly remedy: string | undefined
  /** Members of the JSON form. */
  readonly facts: Readonly<Record<string, unknown>>

  constructor(
    reason: ExitReason,
    message: string,
    extra: { remedy?: string; facts?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, extra.cause === undefined ? undefined : { cause: extra.cause })
    this.name = 'Failure'
    this.reason = reason
    this.remedy = extra.remedy
    this.facts = extra.facts ?? {}
  }
}

/** The message of an inner error, which begins small and ends open, as a sentence. */
export function toSentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? '' : '.'}`
}
