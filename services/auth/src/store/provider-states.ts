import type { Queries } from '@pando/postgres/database'
import type { AwaitedIdentity } from '../providers/claim-identity.ts'
import type { FlowStateRow } from './flow-states.ts'

/** A sign-in that is away at a provider: what has to come back, and with which browser. */
export type NewProviderState = {
  readonly id: string
  readonly flowId: string
  readonly provider: string
  readonly stateHash: Buffer
  /** Absent where any browser may come back. */
  readonly browserHash?: Buffer
  readonly nonce: string
  /** Sealed; absent where the provider knows no PKCE. */
  readonly codeVerifier?: string
}

export async function insertProviderState(queries: Queries, state: NewProviderState): Promise<void> {
  await queries.query(
    `insert into auth.oauth_client_states (id, flow_state_id, provider_type, state_hash, browser_hash, nonce,
      code_verifier, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, now())`,
    [
      state.id,
      state.flowId,
      state.provider,
      state.stateHash,
      state.browserHash ?? null,
      state.nonce,
      state.codeVerifier ?? null,
    ],
  )
}

export type TakenState = FlowStateRow & {
  readonly state_id: string
  readonly browser_hash: Buffer | null
  readonly nonce: string
  readonly code_verifier: string | null
}

/** Takes the state that came back, with its flow, so that nobody can come back with it again. */
export async function takeProviderState(queries: Queries, stateHash: Buffer): Promise<TakenState | undefined> {
  const rows = await queries.query<TakenState>(
    `delete from auth.oauth_client_states s using auth.flow_state f
    where s.state_hash = $1 and f.id = s.flow_state_id
    returning s.id as state_id, s.browser_hash, s.nonce, s.code_verifier, f.id, f.user_id, f.code_challenge,
      f.code_challenge_method, f.provider_type, f.provider_access_token, f.provider_refresh_token,
      f.authentication_method, f.referrer, f.linking_target_id, f.awaited_identity, f.invite_token, f.created_at, f.auth_code_issued_at`,
    [stateHash],
  )
  return rows[0]
}

/** A flow that ended without a code. */
export async function deleteFlowState(queries: Queries, id: string): Promise<void> {
  await queries.query('delete from auth.flow_state where id = $1', [id])
}

/**
 * Flows that nobody came back from, and codes that no app exchanged; `expiryMs` is of the former, a code lives less
 * long.
 */
export async function deleteExpiredFlows(queries: Queries, expiryMs: number): Promise<void> {
  await queries.query(
    `delete from auth.flow_state where id in (
      select id from auth.flow_state
      where authentication_method = 'oauth' and created_at < now() - 2 * $1 * interval '1 millisecond'
      order by created_at limit 100 for update skip locked)`,
    [Math.max(expiryMs, codeMsMax)],
  )
}

/** Longest life of a code that is exchanged for a session (RFC 6749 §4.1.2). */
const codeMsMax = 600_000

export async function keepAwaitedIdentity(queries: Queries, flowId: string, identity: AwaitedIdentity): Promise<void> {
  await queries.query('update auth.flow_state set awaited_identity = $2 where id = $1', [
    flowId,
    JSON.stringify(identity),
  ])
}
