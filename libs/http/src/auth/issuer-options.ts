import { options, type Values } from '@pando/config/options'
import type { IssuerLimits } from './issuer-keys.ts'

const second = 1000
const enabled = (name: string) =>
  ({
    type: 'boolean',
    default: false,
    toml: `auth.third_party.${name}.enabled`,
    text: `Whether tokens of ${name} are accepted beside our own.`,
  }) as const
const audience = (name: string, what: string) =>
  ({
    type: 'list',
    default: [],
    toml: `auth.third_party.${name}.audience`,
    text: `${what} Without it, whatever the issuer signs is accepted, as the public wire does.`,
  }) as const

export const issuerOptions = options({
  prefix: 'issuers',
  text:
    'Others whose users sign in here: a token with exactly their `iss` is verified with the keys that they publish ' +
    '(RS256, ES256), and its `role` claim becomes the database role. Without that claim it is the role of anonymous ' +
    'callers.',
  options: {
    firebaseEnabled: enabled('firebase'),
    firebaseProjectId: {
      type: 'string',
      default: null,
      toml: 'auth.third_party.firebase.project_id',
      text: 'Project id of Firebase Authentication, which is also the audience of its tokens.',
    },
    auth0Enabled: enabled('auth0'),
    auth0Tenant: {
      type: 'string',
      default: null,
      toml: 'auth.third_party.auth0.tenant',
      text: 'Tenant at Auth0. A tenant with a domain of its own goes into `PANDO_ISSUERS_OIDC`.',
    },
    auth0TenantRegion: {
      type: 'string',
      default: null,
      toml: 'auth.third_party.auth0.tenant_region',
      text: 'Region of the tenant, when its domain has one: `us`, `eu`.',
    },
    auth0Audience: audience('auth0', 'Accepted `aud`: identifiers of APIs, client ids for ID tokens.'),
    awsCognitoEnabled: enabled('aws_cognito'),
    awsCognitoUserPoolId: {
      type: 'string',
      default: null,
      toml: 'auth.third_party.aws_cognito.user_pool_id',
      text: 'Id of the user pool at Amazon Cognito.',
    },
    awsCognitoUserPoolRegion: {
      type: 'string',
      default: null,
      toml: 'auth.third_party.aws_cognito.user_pool_region',
      text: 'Its region, for example `eu-central-1`.',
    },
    awsCognitoAudience: audience(
      'aws_cognito',
      'Accepted app clients: `aud` of ID tokens, `client_id` of access tokens.',
    ),
    clerkEnabled: enabled('clerk'),
    clerkDomain: {
      type: 'string',
      default: null,
      toml: 'auth.third_party.clerk.domain',
      text: 'Domain of the instance at Clerk: `clerk.example.com` or `example.clerk.accounts.dev`.',
    },
    workosEnabled: enabled('workos'),
    workosIssuerUrl: {
      type: 'url',
      default: null,
      toml: 'auth.third_party.workos.issuer_url',
      text: 'Issuer at WorkOS, exactly as tokens have it.',
    },
    oidc: {
      type: 'tables',
      default: [],
      toml: 'auth.third_party.oidc',
      text: 'Any other issuers of OpenID Connect.',
      members: {
        issuer: {
          type: 'url',
          default: null,
          required: true,
          text: 'Exactly the `iss` of its tokens; https, on loopback also http.',
        },
        audience: {
          type: 'list',
          default: [],
          required: true,
          text: 'Accepted `aud`: a token must be for one of these.',
        },
        jwksUrl: {
          type: 'url',
          default: null,
          text: "Where its keys are, if not where the issuer's discovery document says.",
        },
        role: {
          type: 'string',
          default: null,
          text: 'Role of a token without a `role` claim; if not given it is refused.',
        },
      },
    },
    fetchTimeout: {
      type: 'duration',
      default: 5 * second,
      min: 100,
      text: "Longest fetch of an issuer's document; then its tokens are answered 503.",
    },
    keysFresh: {
      type: 'duration',
      default: 600 * second,
      min: second,
      text: 'Age after which the keys of an issuer are fetched again, in the background.',
    },
    keysStale: {
      type: 'duration',
      default: 86_400 * second,
      min: second,
      text: 'Age after which keys that could not be fetched again are no longer believed.',
    },
    fetchPause: {
      type: 'duration',
      default: 30 * second,
      min: 0,
      text: 'Least time between two fetches from one issuer, however many tokens name keys that nobody knows.',
    },
    documentBytesMax: {
      type: 'bytes',
      default: 256 * 1024,
      min: 1024,
      text: "Largest document of an issuer's that is read.",
    },
  },
})
export type IssuerValues = Values<typeof issuerOptions>

/** The bounds of fetching keys. */
export function toIssuerLimits(values: IssuerValues): IssuerLimits {
  return {
    timeoutMs: values.fetchTimeout,
    freshMs: values.keysFresh,
    staleMs: values.keysStale,
    betweenMs: values.fetchPause,
    bytesMax: values.documentBytesMax,
  }
}
