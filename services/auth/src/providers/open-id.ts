import { type Definition, hostOf, type IdTokenRules } from './definition.ts'
import { isTrue, type Json, type Profile, toProfile } from './profile.ts'

/** A person of the claims of an ID token (OpenID Connect Core §5.1); `issuer` is the one that is configured. */
export function profileOfClaims(claims: Json, rules: IdTokenRules, issuer: string): Profile {
  const { given_name: given, family_name: family } = claims
  const custom = Object.fromEntries((rules.custom ?? []).map((name) => [name, claims[name]]))
  return toProfile({
    issuer: String(claims['iss']),
    subject: claims['sub'],
    emails: [
      {
        address: claims['email'],
        verified: rules.isEmailVerified?.(claims, issuer) ?? isTrue(claims['email_verified']),
        primary: true,
      },
    ],
    name: claims['name'] ?? [given, family].filter((part) => typeof part === 'string').join(' '),
    picture: claims['picture'],
    userName: claims['preferred_username'],
    nickname: claims['nickname'],
    custom,
  })
}

/** The usual endpoints, so that nobody waits for a discovery document; a server of one's own is asked for its. */
const usually =
  (authorization: string, token: string): Definition['endpoints'] =>
  (url) =>
    url === undefined ? { authorization, token } : undefined

/** Native Android apps of older libraries get `iss` without its scheme. */
export const google: Definition = {
  scopes: ['openid', 'email', 'profile'],
  clientAuth: 'post',
  endpoints: usually('https://accounts.google.com/o/oauth2/v2/auth', 'https://oauth2.googleapis.com/token'),
  idToken: {
    issuer: (url) => hostOf(url, 'accounts.google.com'),
    accepts: ({ iss }, issuer) => iss === 'accounts.google.com' && issuer === 'https://accounts.google.com',
    custom: ['hd'],
  },
}

const appleHosts: readonly unknown[] = ['https://appleid.apple.com', 'https://account.apple.com']

export const apple: Definition = {
  scopes: ['email', 'name'],
  pkce: false,
  clientAuth: 'post',
  responseMode: 'form_post',
  endpoints: usually('https://appleid.apple.com/auth/authorize', 'https://appleid.apple.com/auth/token'),
  idToken: {
    issuer: (url) => hostOf(url, 'appleid.apple.com'),
    accepts: ({ iss }, issuer) => appleHosts.includes(iss) && appleHosts.includes(issuer),
    jwksUrl: (url) => (url === undefined ? `${appleHosts[0]}/auth/keys` : undefined),
    custom: ['is_private_email', 'auth_time', 'transfer_sub'],
  },
}

const microsoft = 'https://login.microsoftonline.com'
/** The tenant of private accounts, whose addresses Microsoft has proven. */
const consumers = '9188040d-6c67-4c5b-b112-36a304b66dad'
const azureBase = (url: string | undefined): string => hostOf(url, 'login.microsoftonline.com/common')

/**
 * With the tenants `common` and `organizations` each organisation signs with an issuer of its own, which must be the
 * one that `tid` names. Any of them can put any address into a token, so that an address counts only when Microsoft
 * says that its domain is theirs (`xms_edov`), or when the project named the one tenant that it trusts.
 */
export const azure: Definition = {
  scopes: ['openid', 'email', 'profile'],
  clientAuth: 'post',
  endpoints: (url) => ({
    authorization: `${azureBase(url)}/oauth2/v2.0/authorize`,
    token: `${azureBase(url)}/oauth2/v2.0/token`,
  }),
  idToken: {
    issuer: (url) => {
      const base = azureBase(url)
      return base === `${microsoft}/consumers` ? `${microsoft}/${consumers}/v2.0` : `${base}/v2.0`
    },
    accepts: ({ iss, tid }, issuer) => isOfAnyTenant(issuer) && isTenant(tid) && iss === `${microsoft}/${tid}/v2.0`,
    jwksUrl: (url) => `${azureBase(url)}/discovery/v2.0/keys`,
    isEmailVerified: ({ xms_edov, tid }, issuer) =>
      xms_edov === undefined ? !isOfAnyTenant(issuer) || tid === consumers : isTrue(xms_edov),
  },
}

const isOfAnyTenant = (issuer: string): boolean =>
  issuer === `${microsoft}/common/v2.0` || issuer === `${microsoft}/organizations/v2.0`
const isTenant = (tid: unknown): tid is string => typeof tid === 'string' && /^[0-9a-f-]{36}$/.test(tid)

/** LinkedIn does not repeat the nonce. */
export const linkedin: Definition = {
  scopes: ['openid', 'email', 'profile'],
  pkce: false,
  clientAuth: 'post',
  endpoints: usually(
    'https://www.linkedin.com/oauth/v2/authorization',
    'https://www.linkedin.com/oauth/v2/accessToken',
  ),
  idToken: { issuer: (url) => hostOf(url, 'www.linkedin.com/oauth'), nonce: false },
}

export const slack: Definition = {
  scopes: ['openid', 'email', 'profile'],
  pkce: false,
  clientAuth: 'post',
  endpoints: usually('https://slack.com/openid/connect/authorize', 'https://slack.com/api/openid.connect.token'),
  idToken: {
    issuer: (url) => hostOf(url, 'slack.com'),
    custom: ['https://slack.com/team_id', 'https://slack.com/user_id'],
  },
}

/** The realm's address is its issuer. */
export const keycloak: Definition = {
  scopes: ['openid', 'email', 'profile'],
  clientAuth: 'basic',
  urlRequired: true,
  idToken: { issuer: (url) => hostOf(url, '') },
}

export const openId = (issuer: string, scopes: readonly string[]): Definition => ({
  scopes: [...new Set(['openid', ...scopes])],
  clientAuth: 'basic',
  idToken: { issuer: () => issuer },
})
