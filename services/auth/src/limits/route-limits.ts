import type { LimitOf } from './charge.ts'
import type { RateName } from './rates.ts'

type Addressed = { readonly email?: string; readonly phone?: string }

/** Of a request that makes us write to somebody: it also costs whom it names. */
export const writes: LimitOf<Addressed> = (_visit, { email, phone }) => ({ rate: 'signIn', email, phone })

/**
 * A sign-up without an address is anonymous; one with an address makes us write to it where addresses are confirmed.
 */
export const signsUp: LimitOf<Addressed> = (_visit, { email, phone }, { emailConfirmations, phoneConfirmations }) => {
  if (!email && !phone) return { rate: 'anonymous' }
  return { rate: 'signIn', ...(emailConfirmations && { email }), ...(phoneConfirmations && { phone }) }
}

const tokenRates: Readonly<Record<string, RateName>> = { refresh_token: 'refresh', pkce: 'refresh', web3: 'web3' }

/** A credential that can be guessed is a sign-in; tokens and codes that cannot are a refresh. */
export const grantsToken: LimitOf<unknown> = ({ query: { grant_type: type = '' } }) => ({
  rate: Object.hasOwn(tokenRates, type) ? tokenRates[type]! : 'signIn',
})
