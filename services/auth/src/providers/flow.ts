import { hash, timingSafeEqual } from 'node:crypto'
import type { AuthDeps } from '../deps.ts'
import { errors } from '../errors.ts'
import type { CodeChallenge } from '../pkce.ts'
import { insertFlowState } from '../store/flow-states.ts'
import {
  deleteExpiredFlows,
  deleteFlowState,
  insertProviderState,
  takeProviderState,
  type TakenState,
} from '../store/provider-states.ts'
import { newUuid } from '../uuid.ts'
import type { Provider } from './provider.ts'

/** What goes with somebody to a provider and must come back. */
export type Outward = { readonly state: string; readonly nonce: string; readonly verifier: string | undefined }

export type NewFlow = {
  readonly provider: Provider
  readonly redirectTo: string
  readonly challenge: CodeChallenge | undefined
  /** What the browser keeps meanwhile; absent where the app holds a verifier instead, or no browser is there yet. */
  readonly browserToken: string | undefined
  readonly linkingTargetId?: string
}

const secretBytes = 32

/** Notes that somebody leaves for a provider. The database learns no state, only its hash. */
export async function beginFlow(deps: AuthDeps, flow: NewFlow): Promise<Outward> {
  const { database, randomBytes, options } = deps
  const { provider, redirectTo, challenge, browserToken, linkingTargetId } = flow
  const secret = (): string => randomBytes(secretBytes).toString('base64url')
  const [id, flowId, state, nonce] = [newUuid(deps), newUuid(deps), secret(), secret()]
  const verifier = provider.definition.pkce === false ? undefined : secret()
  await database.transaction(async (tx) => {
    await deleteExpiredFlows(tx, options.externalFlowExpiry)
    await insertFlowState(tx, {
      id: flowId,
      challenge,
      providerType: provider.name,
      method: 'oauth',
      redirectTo,
      linkingTargetId,
    })
    await insertProviderState(tx, {
      id,
      flowId,
      provider: provider.name,
      stateHash: toHash(state),
      browserHash: browserToken === undefined ? undefined : toHash(browserToken),
      nonce,
      codeVerifier: verifier === undefined ? undefined : deps.secretBox.seal(verifier, id),
    })
  })
  return { state, nonce, verifier }
}

export type Returned = TakenState & { readonly verifier: string | undefined }

/**
 * Takes the flow of a state that came back; it cannot come back again.
 *
 * @throws bad_oauth_callback, bad_oauth_state
 */
export async function takeFlow(deps: AuthDeps, state: string | undefined): Promise<Returned> {
  if (!state) throw errors.oauthStateMissing()
  const taken = await takeProviderState(deps.database, toHash(state))
  if (taken === undefined) throw errors.oauthStateUnknown()
  if (deps.clock.now() - taken.created_at.getTime() > deps.options.externalFlowExpiry) {
    await deleteFlowState(deps.database, taken.id)
    throw errors.oauthStateUnknown()
  }
  const { state_id: id, code_verifier: sealed } = taken
  return { ...taken, verifier: sealed === null ? undefined : deps.secretBox.open(sealed, id) }
}

/** Whether it is the browser that left; flows that another secret protects are any browser's. */
export function isSameBrowser({ browser_hash: expected }: TakenState, token: string | undefined): boolean {
  if (expected === null) return true
  return token !== undefined && timingSafeEqual(expected, toHash(token))
}

const toHash = (secret: string): Buffer => hash('sha256', secret, 'buffer')
