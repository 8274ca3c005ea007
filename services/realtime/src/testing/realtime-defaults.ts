import { type RealtimeOptions, realtimeOptions } from '../config.ts'

/** The options when nobody says anything. */
export const realtimeDefaults = Object.fromEntries(
  Object.entries(realtimeOptions.options).map(([name, option]) => [name, option.default]),
) as RealtimeOptions
