import { compileOnce, type Types } from '@pando/http/shape'
import { errors } from '../errors.ts'
import type { Claims } from './hooks.ts'

/** What every access token says, whatever a hook makes of it. */
const validatorOfClaims = compileOnce((Type: Types) =>
  Type.Object({
    aud: Type.Union([Type.String(), Type.Array(Type.Unknown())]),
    exp: Type.Integer(),
    iat: Type.Integer(),
    sub: Type.String(),
    email: Type.String(),
    phone: Type.String(),
    role: Type.String(),
    aal: Type.String(),
    session_id: Type.String(),
    is_anonymous: Type.Unknown(),
    jti: Type.Optional(Type.String()),
    iss: Type.Optional(Type.String()),
    nbf: Type.Optional(Type.Integer()),
    app_metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    user_metadata: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    amr: Type.Optional(Type.Array(Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())]))),
    client_id: Type.Optional(Type.String()),
  }),
)

/** Rejects when a required claim is missing or one has another type than it should, naming each. */
export async function mustBeClaims(value: unknown): Promise<Claims> {
  const validator = await validatorOfClaims()
  if (validator.Check(value)) return value
  const problems = validator.Errors(value).map(({ instancePath, message }) => {
    return `- ${instancePath.slice(1).replaceAll('/', '.') || '(root)'}: ${message}\n`
  })
  throw errors.hookOutputInvalid(`output claims do not conform to the expected schema: \n${problems.join('')}`)
}
