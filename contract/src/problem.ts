import { Type, type Static } from 'typebox'

/**
 * A problem document (RFC 9457 §3) as Pando's own paths answer it. `code` is stable and made for programs, `detail` is for
 * people; further members are facts of the problem.
 */
export const problemSchema = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String(),
    code: Type.String({ pattern: '^[a-z0-9_]+(\\.[a-z0-9_]+)+$' }),
    requestId: Type.Optional(Type.String()),
  },
  { additionalProperties: true },
)

export type Problem = Static<typeof problemSchema> & { readonly [extension: string]: unknown }
