import { Refusal } from '@pando/core/refusal'
import type { Queries } from '@pando/postgres/database'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import { toResultUrl } from '../one-time/result-url.ts'
import { hashLongSecret, newSecret } from '../one-time/secrets.ts'
import type { Answer } from '../route.ts'
import { startSession } from '../sessions/start-session.ts'
import { completeFlowState } from '../store/flow-states.ts'
import { deleteFlowState } from '../store/provider-states.ts'
import { findUser, type UserRow } from '../store/users.ts'
import type { Visit } from '../visit.ts'
import { readBrowserToken } from './browser-cookie.ts'
import { keepForClaim } from './claim-identity.ts'
import { isSameBrowser, type Returned, takeFlow } from './flow.ts'
import { type Identified, identify } from './identify.ts'
import { type Addition, linkIdentity, tellLinked } from './link-identity.ts'
import { toErrorUrl, toUrlWithSession } from './return-url.ts'
import { welcome } from './welcome.ts'

/** `GET /callback`: the provider sends somebody back in the address. */
export const returnFromProvider = (deps: AuthDeps, visit: Visit): Promise<Answer> =>
  comeBack(deps, visit, new URLSearchParams(visit.query))

/** `POST /callback`: the provider sends somebody back with a form, from its own site. */
export const returnWithForm = (deps: AuthDeps, visit: Visit, form: Readonly<Record<string, string>>): Promise<Answer> =>
  comeBack(deps, visit, new URLSearchParams(form))

/** Whatever happens, people end up in the app; without a flow that is the site. */
async function comeBack(deps: AuthDeps, visit: Visit, parameters: URLSearchParams): Promise<Answer> {
  let returnTo = deps.options.siteUrl
  let flowId: string | undefined
  try {
    const flow = await takeFlow(deps, parameters.get('state') ?? undefined)
    flowId = flow.id
    if (!isSameBrowser(flow, readBrowserToken(deps, visit.headers))) throw errors.oauthStateUnknown()
    returnTo = flow.referrer ?? returnTo
    const landing = { ...visit, query: { redirect_to: returnTo } }
    return redirectTo(await finish(deps, { flow, visit: landing, parameters, returnTo }))
  } catch (error) {
    if (flowId !== undefined) await deleteFlowState(deps.database, flowId)
    const isFault = !(error instanceof Refusal) || error.status >= 500
    return { ...redirectTo(toErrorUrl(returnTo, error)), ...(isFault && { fault: error }) }
  }
}

type Arrived = {
  readonly flow: Returned
  readonly visit: Visit
  readonly parameters: URLSearchParams
  readonly returnTo: string
}

async function finish(deps: AuthDeps, arrived: Arrived): Promise<string> {
  const { flow, visit, parameters } = arrived
  const error = parameters.get('error')
  if (error !== null && error !== '') throw errors.oauth(error, parameters.get('error_description') ?? '')
  if (!parameters.get('code')) throw errors.oauthCodeMissing()
  const provider = deps.providers.get(flow.provider_type)
  if (provider === undefined) throw errors.providerUnsupported(flow.provider_type)
  const identified = await identify(deps, { provider, flow, parameters })
  const { profile } = identified
  const then = (tx: Queries, user: UserRow) => conclude(deps, tx, { ...arrived, user, identified })
  if (flow.linking_target_id === null) return welcome(deps, { provider, profile, visit }, then)
  const addition = { userId: flow.linking_target_id, provider: provider.name, profile, visit }
  const { user, place } = await deps.database.transaction(async (tx) => {
    const owner = await link(deps, tx, { flow, addition })
    return { user: owner, place: await then(tx, owner) }
  })
  if (flow.code_challenge === null) await tellLinked(deps, user, addition)
  return place
}

type Linking = { readonly flow: Returned; readonly addition: Addition }

async function link(deps: AuthDeps, tx: Queries, { flow, addition }: Linking): Promise<UserRow> {
  if (flow.code_challenge === null) return linkIdentity(deps, tx, addition)
  await keepForClaim(tx, flow.id, addition)
  return mustFindUser(tx, addition.userId)
}

async function mustFindUser(tx: Queries, id: string): Promise<UserRow> {
  const user = await findUser(tx, { id })
  if (user === undefined) throw errors.userNotFound()
  return user
}

type Concluding = Arrived & { readonly user: UserRow; readonly identified: Identified }

/** A session in the fragment; or a code, for which only the app with the verifier gets one. */
async function conclude(deps: AuthDeps, tx: Queries, concluding: Concluding): Promise<string> {
  const { flow, user, identified, visit, returnTo } = concluding
  const { accessToken, refreshToken } = identified.tokens
  const { proof: providerProof } = identified.profile
  if (flow.code_challenge === null) {
    const session = await startSession(deps, tx, { user, method: 'oauth', visit, providerProof })
    await deleteFlowState(tx, flow.id)
    return toUrlWithSession(returnTo, session, { accessToken, refreshToken })
  }
  const code = newSecret(deps.randomBytes)
  await completeFlowState(tx, {
    id: flow.id,
    userId: user.id,
    codeHash: hashLongSecret(code),
    providerAccessToken: accessToken,
    providerRefreshToken: refreshToken,
    providerProof,
  })
  return toResultUrl(returnTo, { code })
}

const redirectTo = (location: string): Answer => ({
  status: 302,
  headers: { location, 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' },
})
