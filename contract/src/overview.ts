import { Type, type Static } from 'typebox'

/** What `GET /admin/v1/overview` tells the page of `pando dev`. */
export const overviewSchema = Type.Object({
  project: Type.String(),
  /** Base address of the API. */
  url: Type.String(),
  anonKey: Type.String(),
  addresses: Type.Array(
    Type.Object({
      name: Type.String(),
      value: Type.String(),
      /** Shown only when asked for. */
      secret: Type.Boolean(),
    }),
  ),
  tables: Type.Array(
    Type.Object({
      schema: Type.String(),
      name: Type.String(),
      /** Live rows by Postgres' statistics. */
      rows: Type.Number({ minimum: 0 }),
      /** Whether a stranger may read it; which rows, its policies say. */
      readable: Type.Boolean(),
    }),
  ),
})

export type Overview = Static<typeof overviewSchema>
export type Address = Overview['addresses'][number]
export type RowCount = Overview['tables'][number]
