import { type ConfigurationError, readConfiguration } from '@pando/config/read-configuration'
import { describe, expect, it } from 'vitest'
import { issuerOptions } from './issuer-options.ts'
import { toIssuerPolicies } from './issuer-policies.ts'

const policiesOf = (third_party: object) =>
  toIssuerPolicies(
    readConfiguration({ issuers: issuerOptions }, { project: { auth: { third_party } } }).issuers,
    'anon',
  )
const mistakesOf = (third_party: object): readonly string[] => {
  try {
    policiesOf(third_party)
    return []
  } catch (error) {
    return (error as ConfigurationError).mistakes
  }
}

describe('auth.third_party of a config.toml', () => {
  it.each([
    ['firebase', { project_id: 'my-app' }, 'https://securetoken.google.com/my-app', ['my-app']],
    ['auth0', { tenant: 'acme' }, 'https://acme.auth0.com/', null],
    ['auth0', { tenant: 'acme', tenant_region: 'eu' }, 'https://acme.eu.auth0.com/', null],
    ['auth0', { tenant: 'acme', audience: ['https://api'] }, 'https://acme.auth0.com/', ['https://api']],
    [
      'aws_cognito',
      { user_pool_id: 'eu-west-1_Ab1', user_pool_region: 'eu-west-1' },
      'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Ab1',
      null,
    ],
    ['clerk', { domain: 'clerk.example.com' }, 'https://clerk.example.com', null],
    ['workos', { issuer_url: 'https://api.workos.com/x/client_1' }, 'https://api.workos.com/x/client_1', null],
  ])('%s %o is the issuer %s', (name, table, issuer, audiences) => {
    expect(policiesOf({ [name]: { enabled: true, ...table } })).toMatchObject([{ issuer, audiences, role: 'anon' }])
    expect(policiesOf({ [name]: { enabled: false, ...table } })).toEqual([])
    expect(policiesOf({ [name]: table })).toEqual([])
  })

  it('looks for the client of an access token of Cognito where it is', () => {
    const [policy] = policiesOf({ aws_cognito: { enabled: true, user_pool_id: 'p', user_pool_region: 'r' } })
    expect(policy?.audienceClaims).toEqual(['aud', 'client_id'])
  })

  it('names any other issuers of OpenID Connect, each with its audience', () => {
    const oidc = [
      { issuer: 'https://id.example', audience: ['app'] },
      {
        issuer: 'http://127.0.0.1:9000/realm',
        audience: 'app, app-2',
        jwks_url: 'http://127.0.0.1:9000/k',
        role: 'guest',
      },
    ]
    expect(policiesOf({ oidc })).toEqual([
      { issuer: 'https://id.example', audiences: ['app'] },
      {
        issuer: 'http://127.0.0.1:9000/realm',
        audiences: ['app', 'app-2'],
        jwksUrl: 'http://127.0.0.1:9000/k',
        role: 'guest',
      },
    ])
  })

  it('tells every mistake', () => {
    expect(
      mistakesOf({
        firebase: { enabled: true },
        auth0: { enabled: true, tenant: 'evil.example/' },
        clerk: { enabled: true, domain: 'https://clerk.example.com' },
        workos: { enabled: true, issuer_url: 'http://id.example' },
        oidc: [
          { issuer: 'https://a.example', audience: [] },
          { issuer: 'https://b.example', audience: ['app'], jwks_url: 'http://b.example' },
          { issuer: 'https://b.example', audience: ['app'] },
        ],
      }),
    ).toEqual([
      'auth.third_party.firebase.project_id is missing, but auth.third_party.firebase is enabled',
      'auth.third_party.auth0.tenant cannot be "evil.example/"',
      'auth.third_party.clerk.domain cannot be "https://clerk.example.com"',
      'the issuer at http://id.example must be https; plain http is for loopback',
      'auth.third_party.oidc names no audience of https://a.example; name at least one',
      'the issuer at http://b.example must be https; plain http is for loopback',
      'auth.third_party names the issuer https://b.example 2 times',
    ])
  })

  it('needs issuer and audience of every other issuer', () => {
    expect(() => policiesOf({ oidc: [{ issuer: 'https://a.example' }, { audience: ['app'] }] })).toThrow(
      'audience is missing in table 1; issuer is missing in table 2',
    )
  })
})
