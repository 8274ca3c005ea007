/** What a check of `pando doctor` found. */
export type Finding = {
  /** What was looked at, in a word or two. */
  readonly subject: string
  /** `warn` works but may surprise; `fail` does not work. */
  readonly state: 'ok' | 'warn' | 'fail'
  readonly text: string
  /** What to do; given whenever the state is not `ok`. */
  readonly remedy?: string
}

export const ok = (subject: string, text: string): Finding => ({ subject, state: 'ok', text })
export const warn = (subject: string, text: string, remedy: string): Finding => ({
  subject,
  state: 'warn',
  text,
  remedy,
})
export const fail = (subject: string, text: string, remedy: string): Finding => ({
  subject,
  state: 'fail',
  text,
  remedy,
})
