import type { BodyOf, Types } from '@pando/http/shape'
import { errors } from '../errors.ts'
import { passwordBytesMax } from '../passwords/password-rules.ts'

/** What an admin may say about a user, new or old. */
export const adminUserBody = (Type: Types) =>
  Type.Object({
    id: Type.Optional(Type.String()),
    role: Type.Optional(Type.String({ maxLength: 255 })),
    email: Type.Optional(Type.String({ maxLength: 1000 })),
    phone: Type.Optional(Type.String({ maxLength: 100 })),
    password: Type.Optional(Type.String({ maxLength: passwordBytesMax * 2 })),
    password_hash: Type.Optional(Type.String({ maxLength: 1000 })),
    email_confirm: Type.Optional(Type.Boolean()),
    phone_confirm: Type.Optional(Type.Boolean()),
    user_metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    app_metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    ban_duration: Type.Optional(Type.String({ maxLength: 100 })),
  })
export type AdminUserBody = BodyOf<typeof adminUserBody>

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

/** `24h`, `1h30m`, or `none` to lift a ban (null); undefined when nothing is said. */
export function toBannedUntil(duration: string | undefined, nowMs: number): Date | null | undefined {
  if (duration === undefined || duration === '') return undefined
  if (duration === 'none') return null
  const parts = [...duration.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== duration) {
    throw errors.invalid(`invalid format for ban duration: ${JSON.stringify(duration)}; write 24h, 1h30m or none`)
  }
  return new Date(nowMs + parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitMs[unit!]!, 0))
}
