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

export type StringOption = Common & {
  readonly type: 'string'
  readonly default: string | null
  /** What is wrong with a text that was given, in words that follow the option's name: "must be …". */
  readonly refuse?: (text: string) => string | undefined
}
export type IntegerOption = Common & Bounds & { readonly type: 'integer'; readonly default: number | null }
/** A share or factor: any finite number. */
export type NumberOption = Common & Bounds & { readonly type: 'number'; readonly default: number | null }
export type BooleanOption = Common & { readonly type: 'boolean'; readonly default: boolean }
/** Written `250ms`, `30s`, `1h30m`, `7d`. Its value is in milliseconds. */
export type DurationOption = Common &
  Bounds & {
    readonly type: 'duration'
    readonly default: number | null
    /** What a bare number counts; milliseconds if not given. */
    readonly unit?: 's'
  }
/** Written `64kb`, `50mb`, `1gb` (powers of 1024); a bare number is bytes. */
export type BytesOption = Common & Bounds & { readonly type: 'bytes'; readonly default: number | null }
export type EnumOption = Common & {
  readonly type: 'enum'
  readonly values: readonly string[]
  readonly default: string | null
}
/** Comma-separated in an environment variable, an array in `config.toml`. */
export type ListOption = Common & {
  readonly type: 'list'
  readonly default: readonly string[]
  /** Each item is `name=value`; in `config.toml` that is a table of texts. */
  readonly pairs?: true
  /** What is wrong with a list that was given, in words that follow the option's name: "must be …". */
  readonly refuse?: (items: readonly string[]) => string | undefined
}
export type SecretOption = Common & { readonly type: 'secret'; readonly default: null; readonly bytesMin?: number }
/** An absolute URL; its value is the text as given, which has been proven to parse. */
export type UrlOption = Common & {
  readonly type: 'url'
  readonly default: string | null
  /** Accepted schemes, for example `['postgres', 'postgresql']`; `http` and `https` if not given. */
  readonly schemes?: readonly string[]
}

/** A member of each table of a `TablesOption`; its name in files and variables is the snake_case of its own. */
export type MemberOption = PlainOption & {
  /** A table without it is a mistake; otherwise it has the default. */
  readonly required?: true
}
/** Any number of tables of one shape: `[[…]]` in `config.toml`, a JSON array of objects elsewhere. */
export type TablesOption = Common & {
  readonly type: 'tables'
  readonly default: readonly never[]
  readonly members: Readonly<Record<string, MemberOption>>
}

/** One option, as data. Its text is its documentation and its default its behaviour when nobody says anything. */
export type Option = PlainOption | TablesOption

type PlainOption =
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

type Plain<O extends PlainOption> = O extends SecretOption
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
export type OptionValue<O extends Option> = O extends TablesOption
  ? readonly { readonly [Name in keyof O['members']]: MemberValue<O['members'][Name]> }[]
  : O extends PlainOption
    ? PlainValue<O>
    : never

type PlainValue<O extends PlainOption> = null extends O['default'] ? Plain<O> | null : Plain<O>
type MemberValue<M extends MemberOption> = M extends { readonly required: true } ? Plain<M> : PlainValue<M>
