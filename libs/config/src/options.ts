import type { Option, OptionValue } from './option.ts'

/** The options of one package: a prefix for their names, a sentence about them, and the options as data. */
export type Options<Table extends Readonly<Record<string, Option>> = Readonly<Record<string, Option>>> = {
  readonly prefix: string
  readonly text: string
  readonly options: Table
}

/** What `readConfiguration` gives for a group of options. */
export type Values<Group extends Options> = {
  readonly [Name in keyof Group['options']]: OptionValue<Group['options'][Name]>
}

/**
 * Declares a package's options:
 *
 *     export const restOptions = options({
 *       prefix: 'rest',
 *       text: 'The data API.',
 *       options: { maxRows: { type: 'integer', default: null, min: 0, text: 'Most rows that one answer holds.' } },
 *     })
 *     export type RestValues = Values<typeof restOptions>
 *
 * `maxRows` is then `PANDO_REST_MAX_ROWS` in the environment and `--rest-max-rows` on the command line.
 */
export function options<const Table extends Readonly<Record<string, Option>>>(group: Options<Table>): Options<Table> {
  return group
}

/** The words of `maxRows` or `s3Region`: a new one starts at each capital. */
export const words = (name: string): string[] => name.split(/(?=[A-Z])/).map((word) => word.toLowerCase())

/** The environment variable of an option, for example `PANDO_REST_MAX_ROWS`. */
export function envName(prefix: string, name: string, option: Option): string {
  return option.env ?? ['pando', ...words(prefix), ...words(name)].join('_').toUpperCase()
}

/** The command line flag of an option without its dashes, for example `rest-max-rows`. */
export function flagName(prefix: string, name: string, option: Option): string {
  return option.flag ?? [...words(prefix), ...words(name)].join('-')
}
