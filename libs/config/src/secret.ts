import { inspect } from 'node:util'

/** A value that may be used and never be seen: every way of printing it gives `[secret]`. */
export type Secret = {
  /** The text itself; call it at the last moment, where it is used. */
  readonly reveal: () => string
  readonly toString: () => string
  readonly toJSON: () => string
}

const mask = (): string => '[secret]'

/** Wraps `text`, so that logs, JSON, string concatenation and `console.log` show `[secret]`. */
export function secretOf(text: string): Secret {
  return Object.freeze({ reveal: () => text, toString: mask, toJSON: mask, [inspect.custom]: mask })
}
