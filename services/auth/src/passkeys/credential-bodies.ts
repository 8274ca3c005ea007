import { Type, type Static, type TSchema } from 'typebox'

const bytes = Type.String({ maxLength: 500_000 })
const orNull = <T extends TSchema>(type: T) => Type.Optional(Type.Union([type, Type.Null()]))

const credential = { id: bytes, rawId: bytes, type: Type.String({ maxLength: 100 }) }

/** What `navigator.credentials.create()` gave, as JSON (WebAuthn Level 3 §5.1, `RegistrationResponseJSON`). */
export const registrationBody = Type.Object({
  ...credential,
  response: Type.Object({
    clientDataJSON: bytes,
    attestationObject: bytes,
    transports: orNull(Type.Array(Type.String({ maxLength: 100 }), { maxItems: 20 })),
  }),
})

/** What `navigator.credentials.get()` gave (`AuthenticationResponseJSON`). */
export const assertionBody = Type.Object({
  ...credential,
  response: Type.Object({
    clientDataJSON: bytes,
    authenticatorData: bytes,
    signature: bytes,
    userHandle: orNull(Type.String({ maxLength: 200 })),
  }),
})
export type Registration = Static<typeof registrationBody>
export type Assertion = Static<typeof assertionBody>
