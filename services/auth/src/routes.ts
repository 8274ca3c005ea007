import { getHealth, getJwks, getSettings } from './about.ts'
import { createUser } from './admin/create-user.ts'
import { deleteUserAsAdmin, deleteUserBody } from './admin/delete-user.ts'
import { getUserAsAdmin } from './admin/find-user.ts'
import { listAuditEventsAsAdmin } from './admin/list-audit-events.ts'
import { listUsersAsAdmin } from './admin/list-users.ts'
import { signOutUser } from './admin/sign-out-user.ts'
import { updateUserAsAdmin } from './admin/update-user.ts'
import { adminUserBody } from './admin/user-body.ts'
import { attestationRoutes } from './attestation/routes.ts'
import { factorRoutes } from './factors/routes.ts'
import { guessesPassword } from './captcha/must-be-human.ts'
import { getUser } from './get-user.ts'
import { grantsToken, signsUp, writes } from './limits/route-limits.ts'
import { oneTimeRoutes } from './one-time/routes.ts'
import { passkeyRoutes } from './passkeys/routes.ts'
import { providerRoutes } from './providers/routes.ts'
import { route, type Route } from './route.ts'
import { endOwnSession, endSessionBody, getOwnSessions } from './sessions/own-sessions.ts'
import { signInWithSso } from './sign-in-with-sso.ts'
import { signOut } from './sign-out.ts'
import { signUp, signUpBody } from './sign-up.ts'
import { grantToken, tokenBody } from './token.ts'
import { updateOwnUser, updateUserBody } from './update-user.ts'

/** Every endpoint below `/auth/v1`. */
export const routes: readonly Route[] = [
  route({ method: 'GET', path: '/health', who: 'anyone', run: getHealth }),
  route({ method: 'GET', path: '/settings', who: 'anyone', run: getSettings }),
  route({ method: 'GET', path: '/.well-known/jwks.json', who: 'anyone', run: getJwks }),

  route({
    method: 'POST',
    path: '/signup',
    who: 'anyone',
    limit: signsUp,
    captcha: true,
    body: signUpBody,
    run: signUp,
  }),
  route({
    method: 'POST',
    path: '/token',
    who: 'anyone',
    limit: grantsToken,
    hashes: (url) => url.includes('grant_type=password'),
    captcha: guessesPassword,
    body: tokenBody,
    run: grantToken,
  }),
  route({ method: 'POST', path: '/sso', who: 'anyone', run: signInWithSso }),
  route({ method: 'POST', path: '/logout', who: 'user', aal: 'any', limit: 'refresh', run: signOut }),

  route({ method: 'GET', path: '/sessions', who: 'user', limit: 'refresh', run: getOwnSessions }),
  route({
    method: 'DELETE',
    path: '/sessions/:session_id',
    who: 'user',
    limit: 'refresh',
    body: endSessionBody,
    run: endOwnSession,
  }),

  route({ method: 'GET', path: '/user', who: 'user', aal: 'any', run: getUser }),
  route({ method: 'PUT', path: '/user', who: 'user', limit: writes, body: updateUserBody, run: updateOwnUser }),

  ...oneTimeRoutes,

  route({ method: 'GET', path: '/admin/audit', who: 'admin', run: listAuditEventsAsAdmin }),
  route({ method: 'GET', path: '/admin/users', who: 'admin', run: listUsersAsAdmin }),
  route({ method: 'POST', path: '/admin/users', who: 'admin', body: adminUserBody, run: createUser }),
  route({ method: 'GET', path: '/admin/users/:user_id', who: 'admin', run: getUserAsAdmin }),
  route({ method: 'PUT', path: '/admin/users/:user_id', who: 'admin', body: adminUserBody, run: updateUserAsAdmin }),
  route({ method: 'POST', path: '/admin/users/:user_id/logout', who: 'admin', run: signOutUser }),
  route({
    method: 'DELETE',
    path: '/admin/users/:user_id',
    who: 'admin',
    body: deleteUserBody,
    run: deleteUserAsAdmin,
  }),

  ...factorRoutes,
  ...passkeyRoutes,
  ...attestationRoutes,
  ...providerRoutes,
]
