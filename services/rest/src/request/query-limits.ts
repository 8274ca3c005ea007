/** How much one query string may ask for. Beyond a limit the answer is PGRST100 and names the limit. */
export type QueryLimits = {
  /** Characters of the raw query string. */
  readonly queryLengthMax: number
  /** Parameters, repeated ones included. */
  readonly parametersMax: number
  /** Embeds inside embeds of `select`. */
  readonly embedDepthMax: number
  /** Groups inside groups of one `and` or `or`. */
  readonly logicDepthMax: number
  /** Columns and embeds of `select`, at all levels together. */
  readonly selectItemsMax: number
  /** Conditions, those inside `and` and `or` included. */
  readonly filtersMax: number
  /** Values of one `in.(…)`. */
  readonly inValuesMax: number
}

export const queryLimits: QueryLimits = {
  queryLengthMax: 262_144,
  parametersMax: 1_000,
  embedDepthMax: 16,
  logicDepthMax: 16,
  selectItemsMax: 1_000,
  filtersMax: 1_000,
  inValuesMax: 20_000,
}
