import { writes } from '../limits/route-limits.ts'
import { route, type Route } from '../route.ts'
import { followLink } from './follow-link.ts'
import { generateLink, generateLinkBody } from './generate-link.ts'
import { invite, inviteBody } from './invite.ts'
import { reauthenticate } from './reauthenticate.ts'
import { recover, recoverBody } from './recover.ts'
import { codeRequestBody, requestCode, requestMagicLink } from './request-code.ts'
import { resend, resendBody } from './resend.ts'
import { verify, verifyBody } from './verify.ts'

/** Makes us write to somebody. */
const asks = { who: 'anyone', limit: writes, captcha: true } as const

/** Codes and links. */
export const oneTimeRoutes: readonly Route[] = [
  route({ method: 'POST', path: '/otp', ...asks, body: codeRequestBody, run: requestCode }),
  route({ method: 'POST', path: '/magiclink', ...asks, body: codeRequestBody, run: requestMagicLink }),
  route({ method: 'POST', path: '/recover', ...asks, body: recoverBody, run: recover }),
  route({ method: 'POST', path: '/resend', ...asks, body: resendBody, run: resend }),
  route({ method: 'POST', path: '/verify', who: 'anyone', limit: 'verify', body: verifyBody, run: verify }),
  route({ method: 'GET', path: '/verify', who: 'browser', limit: 'verify', run: followLink }),
  route({ method: 'GET', path: '/reauthenticate', who: 'user', limit: 'signIn', run: reauthenticate }),
  route({ method: 'POST', path: '/invite', who: 'admin', body: inviteBody, run: invite }),
  route({ method: 'POST', path: '/admin/generate_link', who: 'admin', body: generateLinkBody, run: generateLink }),
]
