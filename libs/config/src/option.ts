import type { Secret } from './secret.ts'

type Common = {
  /** What it does and what changes when it is turned; becomes the documentation. */
  readonly text: string
  /** Where the value may stand in the project's `config.toml`, for example `api.max_rows`. */
  readonly toml?: string
  /** A name other than the derived `PANDO_<PREFIX>_<NAME>`, for a variable that the world already knows. */
  readonly env?: string
  /** A name other than the derived `<prefix>-<name>`. */
  readonly flag?: string
}

/** Integers and durations and sizes are checked against `min` and `max`, both included. */
type Bounds = { readonly min?: number; readonly max?: number }

export type StringOption = Common & { readonly type: 'string'; readonly default: string | null }
export type IntegerOption = Common & Bounds & { readonly type: 'integer'; readonly default: number | null }
/** A share or factor: any finite number. */
export type NumberOption = Common & Bounds & { readonly type: 'number'; readonly default: number | null }
export type BooleanOption = Common & { readonly type: 'boolean'; readonly default: boolean }
/** Written `250ms`, `30s`, `5m`, `2h`, `7d`; a bare number is milliseconds. Its value is in milliseconds. */
export type DurationOption = Common & Bounds & { readonly type: 'duration'; readonly default: number | null }
/** Written `64kb`, `50mb`, `1gb` (powers of 1024); a bare number is bytes. */
export type BytesOption = Common & Bounds & { readonly type: 'bytes'; readonly default: number | null }
export type EnumOption = Common & {
  readonly type: 'enum'
  readonly values: readonly string[]
  readonly default: string | null
}
/** Comma-separated in an environment variable, an array in `config.toml`. */
export type ListOption = Common & { readonly type: 'list'; readonly default: readonly string[] }
export type SecretOption = Common & { readonly type: 'secret'; readonly default: null; readonly bytesMin?: number }
/** An absolute URL; its value is the text as given, which has been proven to parse. */
export type UrlOption = Common & {
  readonly type: 'url'
  readonly default: string | null
  /** Accepted schemes, for example `['postgres', 'postgresql']`; `http` and `https` if not given. */
  readonly schemes?: readonly string[]
}

/** One option, as data. Its text is its documentation and its default its behaviour when nobody says anything. */
export type Option =
  | StringOption
  | IntegerOption
  | NumberOption
  | BooleanOption
  | DurationOption
  | BytesOption
  | EnumOption
  | ListOption
  | SecretOption
  | UrlOption

type Plain<O extends Option> = O extends SecretOption
  ? Secret
  : O extends EnumOption
    ? O['values'][number]
    : O extends BooleanOption
      ? boolean
      : O extends ListOption
        ? readonly string[]
        : O extends { type: 'string' | 'url' }
          ? string
          : number

/** The type of an option's value: `null` is possible exactly when it is the default. */
export type OptionValue<O extends Option> = null extends O['default'] ? Plain<O> | null : Plain<O>
