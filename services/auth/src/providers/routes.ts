import type { Types } from '@pando/http/shape'
import { route, type Route } from '../route.ts'
import { authorize, authorizeLinking } from './authorize.ts'
import { returnFromProvider, returnWithForm } from './callback.ts'
import { unlinkIdentity } from './unlink-identity.ts'

const form = (Type: Types) => Type.Record(Type.String(), Type.String())

export const providerRoutes: readonly Route[] = [
  route({ method: 'GET', path: '/authorize', who: 'browser', limit: 'signIn', run: authorize }),
  route({ method: 'GET', path: '/callback', who: 'browser', limit: 'verify', run: returnFromProvider }),
  route({
    method: 'POST',
    path: '/callback',
    who: 'browser',
    limit: 'verify',
    form: true,
    body: form,
    run: returnWithForm,
  }),
  route({ method: 'GET', path: '/user/identities/authorize', who: 'user', limit: 'signIn', run: authorizeLinking }),
  route({ method: 'DELETE', path: '/user/identities/:identity_id', who: 'user', run: unlinkIdentity }),
]
