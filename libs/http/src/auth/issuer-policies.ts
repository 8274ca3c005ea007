import { ConfigurationError } from '@pando/config/read-configuration'
import type { IssuerPolicy } from './issuer-keys.ts'
import type { IssuerValues } from './issuer-options.ts'

/** Notes a mistake. */
type Report = (mistake: string) => void
/** Gives a setting that must be there and of a shape; of a mistake it tells, and what it gives then is not used. */
type Must = (name: string, value: string | null, shape?: RegExp) => string
type Service = {
  readonly isEnabled: (values: IssuerValues) => boolean
  readonly read: (values: IssuerValues, must: Must) => IssuerPolicy
}

/**
 * Who else is believed, and by which rules. The named services have the issuers and audiences that their documentation
 * gives; a token of theirs without a role claim gets `anonRole`. Throws one `ConfigurationError` with all mistakes.
 */
export function toIssuerPolicies(values: IssuerValues, anonRole: string): readonly IssuerPolicy[] {
  const mistakes: string[] = []
  const report: Report = (mistake) => void mistakes.push(mistake)
  const must = createMust(report)
  const named = services
    .filter(({ isEnabled }) => isEnabled(values))
    .map(({ read }) => ({ ...read(values, must), role: anonRole }))
  const policies = [...named, ...values.oidc.map(toPolicy)]
  for (const policy of policies) checkPolicy(policy, report)
  for (const [issuer, same] of Map.groupBy(policies, (policy) => policy.issuer))
    if (same.length > 1) report(`auth.third_party names the issuer ${issuer} ${same.length} times`)
  if (mistakes.length > 0) throw new ConfigurationError(mistakes)
  return policies
}

const services: readonly Service[] = [
  { isEnabled: (values) => values.firebaseEnabled, read: readFirebase },
  { isEnabled: (values) => values.auth0Enabled, read: readAuth0 },
  { isEnabled: (values) => values.awsCognitoEnabled, read: readCognito },
  { isEnabled: (values) => values.clerkEnabled, read: readClerk },
  { isEnabled: (values) => values.workosEnabled, read: readWorkos },
]

/** All Firebase projects sign with the same keys: issuer and audience alone tell this one from the others. */
function readFirebase({ firebaseProjectId }: IssuerValues, must: Must): IssuerPolicy {
  const project = must('firebase.project_id', firebaseProjectId)
  return { issuer: `https://securetoken.google.com/${project}`, audiences: [project] }
}

/** The issuer of Auth0 ends with a slash. */
function readAuth0({ auth0Tenant, auth0TenantRegion, auth0Audience }: IssuerValues, must: Must): IssuerPolicy {
  const tenant = must('auth0.tenant', auth0Tenant)
  const region = auth0TenantRegion ? `.${must('auth0.tenant_region', auth0TenantRegion)}` : ''
  return { issuer: `https://${tenant}${region}.auth0.com/`, audiences: orAny(auth0Audience) }
}

function readCognito(values: IssuerValues, must: Must): IssuerPolicy {
  const pool = must('aws_cognito.user_pool_id', values.awsCognitoUserPoolId)
  const region = must('aws_cognito.user_pool_region', values.awsCognitoUserPoolRegion)
  return {
    issuer: `https://cognito-idp.${region}.amazonaws.com/${pool}`,
    audiences: orAny(values.awsCognitoAudience),
    audienceClaims: ['aud', 'client_id'],
  }
}

/** Session tokens of Clerk have no audience: an instance signs them for its own app alone. */
function readClerk({ clerkDomain }: IssuerValues, must: Must): IssuerPolicy {
  return { issuer: `https://${must('clerk.domain', clerkDomain, hostName)}`, audiences: null }
}

/** The issuer contains the id of the client, so that it says for whom a token is. */
function readWorkos({ workosIssuerUrl }: IssuerValues, must: Must): IssuerPolicy {
  return { issuer: must('workos.issuer_url', workosIssuerUrl, /./), audiences: null }
}

const orAny = (audiences: readonly string[]): readonly string[] | null => (audiences.length === 0 ? null : audiences)

function toPolicy({ issuer, audience, jwksUrl, role }: IssuerValues['oidc'][number]): IssuerPolicy {
  return { issuer, audiences: audience, jwksUrl: jwksUrl ?? undefined, role: role ?? undefined }
}

/** A label of a host name or a segment of a path, so that no setting leads to another host. */
const label = /^[\w-]+$/
const hostName = /^[a-z\d-]+(?:\.[a-z\d-]+)+$/i

function createMust(report: Report): Must {
  return (name, value, shape = label) => {
    if (value !== null && shape.test(value)) return value
    const key = `auth.third_party.${name}`
    if (value) report(`${key} cannot be ${JSON.stringify(value)}`)
    else report(`${key} is missing, but auth.third_party.${name.split('.')[0]} is enabled`)
    return 'none.invalid'
  }
}

const loopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** Keys that come over a plain connection are anybody's. */
function checkPolicy({ issuer, jwksUrl, audiences }: IssuerPolicy, report: Report): void {
  for (const address of jwksUrl === undefined ? [issuer] : [issuer, jwksUrl]) {
    const url = new URL(address)
    if (url.protocol !== 'https:' && !loopback.test(url.hostname))
      report(`the issuer at ${address} must be https; plain http is for loopback`)
  }
  if (audiences?.length === 0) report(`auth.third_party.oidc names no audience of ${issuer}; name at least one`)
}
