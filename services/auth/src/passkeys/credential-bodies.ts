import type { BodyOf, Types } from '@pando/http/shape'
import type { TSchema } from 'typebox'

const bytes = (Type: Types) => Type.String({ maxLength: 500_000 })
const orNull = <T extends TSchema>(Type: Types, type: T) => Type.Optional(Type.Union([type, Type.Null()]))
const credential = (Type: Types) => ({ id: bytes(Type), rawId: bytes(Type), type: Type.String({ maxLength: 100 }) })

/** What `navigator.credentials.create()` gave, as JSON (WebAuthn Level 3 §5.1, `RegistrationResponseJSON`). */
export const registrationBody = (Type: Types) =>
  Type.Object({
    ...credential(Type),
    response: Type.Object({
      clientDataJSON: bytes(Type),
      attestationObject: bytes(Type),
      transports: orNull(Type, Type.Array(Type.String({ maxLength: 100 }), { maxItems: 20 })),
    }),
  })

/** What `navigator.credentials.get()` gave (`AuthenticationResponseJSON`). */
export const assertionBody = (Type: Types) =>
  Type.Object({
    ...credential(Type),
    response: Type.Object({
      clientDataJSON: bytes(Type),
      authenticatorData: bytes(Type),
      signature: bytes(Type),
      userHandle: orNull(Type, Type.String({ maxLength: 200 })),
    }),
  })
export type Registration = BodyOf<typeof registrationBody>
export type Assertion = BodyOf<typeof assertionBody>
