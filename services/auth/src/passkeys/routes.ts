import { humanBody } from '../captcha/must-be-human.ts'
import { route, type Route } from '../route.ts'
import {
  deleteOwnPasskey,
  deletePasskeyAsAdmin,
  listOwnPasskeys,
  listPasskeysAsAdmin,
  renameOwnPasskey,
  renamePasskeyBody,
} from './manage-passkeys.ts'
import { beginRegistration, registerPasskey, registerPasskeyBody } from './register-passkey.ts'
import { beginSignIn, passkeySignInBody, signInWithPasskey } from './sign-in-with-passkey.ts'

const ofUser = '/admin/users/:user_id/passkeys'

/** Signing in with a passkey, and the passkeys that somebody has. */
export const passkeyRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/passkeys/authentication/options',
    who: 'anyone',
    limit: 'signIn',
    captcha: true,
    body: humanBody,
    run: beginSignIn,
  }),
  route({
    method: 'POST',
    path: '/passkeys/authentication/verify',
    who: 'anyone',
    limit: 'signIn',
    body: passkeySignInBody,
    run: signInWithPasskey,
  }),
  route({
    method: 'POST',
    path: '/passkeys/registration/options',
    who: 'member',
    limit: 'factor',
    run: beginRegistration,
  }),
  route({
    method: 'POST',
    path: '/passkeys/registration/verify',
    who: 'member',
    limit: 'factor',
    body: registerPasskeyBody,
    run: registerPasskey,
  }),
  route({ method: 'GET', path: '/passkeys', who: 'member', run: listOwnPasskeys }),
  route({
    method: 'PATCH',
    path: '/passkeys/:passkey_id',
    who: 'member',
    limit: 'factor',
    body: renamePasskeyBody,
    run: renameOwnPasskey,
  }),
  route({ method: 'DELETE', path: '/passkeys/:passkey_id', who: 'member', run: deleteOwnPasskey }),

  route({ method: 'GET', path: ofUser, who: 'admin', run: listPasskeysAsAdmin }),
  route({ method: 'DELETE', path: `${ofUser}/:passkey_id`, who: 'admin', run: deletePasskeyAsAdmin }),
]
