import { route, type Route } from '../route.ts'
import { adminFactorBody, deleteFactorAsAdmin, listFactorsAsAdmin, updateFactorAsAdmin } from './admin-factors.ts'
import { challengeFactor, challengeFactorBody } from './challenge-factor.ts'
import { enrollFactor, enrollFactorBody } from './enroll-factor.ts'
import { getRecoveryCodes, makeRecoveryCodes } from './recovery-codes.ts'
import { unenrollFactor } from './unenroll-factor.ts'
import { verifyFactor, verifyFactorBody } from './verify-factor.ts'

const ofUser = '/admin/users/:user_id/factors'

/** Second factors. To be asked for one, and to answer, is all that a session may do which has not proved one. */
export const factorRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/factors',
    who: 'member',
    limit: 'factor',
    body: enrollFactorBody,
    run: enrollFactor,
  }),
  route({ method: 'DELETE', path: '/factors/:factor_id', who: 'member', run: unenrollFactor }),
  route({
    method: 'POST',
    path: '/factors/:factor_id/challenge',
    who: 'member',
    aal: 'any',
    limit: 'factor',
    body: challengeFactorBody,
    run: challengeFactor,
  }),
  route({
    method: 'POST',
    path: '/factors/:factor_id/verify',
    who: 'member',
    aal: 'any',
    limit: 'factor',
    body: verifyFactorBody,
    run: verifyFactor,
  }),

  route({ method: 'GET', path: '/factors/recovery_codes', who: 'member', run: getRecoveryCodes }),
  route({ method: 'POST', path: '/factors/recovery_codes', who: 'member', limit: 'factor', run: makeRecoveryCodes }),

  route({ method: 'GET', path: ofUser, who: 'admin', run: listFactorsAsAdmin }),
  route({ method: 'DELETE', path: `${ofUser}/:factor_id`, who: 'admin', run: deleteFactorAsAdmin }),
  route({
    method: 'PUT',
    path: `${ofUser}/:factor_id`,
    who: 'admin',
    body: adminFactorBody,
    run: updateFactorAsAdmin,
  }),
]
