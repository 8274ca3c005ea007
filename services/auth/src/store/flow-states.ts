import type { Queries } from '@pando/postgres/database'
import type { CodeChallenge } from '../pkce.ts'
import type { AwaitedIdentity } from '../providers/claim-identity.ts'
import type { ProviderProof } from '../providers/provider-proof.ts'

/** A sign-in that is away at a browser or provider. Only the hash of its code is kept. */
export type FlowStateRow = {
  readonly id: string
  readonly user_id: string | null
  readonly code_challenge: string | null
  readonly code_challenge_method: CodeChallenge['method'] | null
  readonly provider_type: string
  readonly provider_access_token: string | null
  readonly provider_refresh_token: string | null
  readonly authentication_method: string
  readonly provider_proof: ProviderProof | null
  readonly referrer: string | null
  readonly linking_target_id: string | null
  /** What is added to `linking_target_id` when the app shows its verifier. */
  readonly awaited_identity: AwaitedIdentity | null
  readonly invite_token: string | null
  readonly created_at: Date
  readonly auth_code_issued_at: Date | null
}

const columns = `id, user_id, code_challenge, code_challenge_method, provider_type, provider_access_token,
  provider_refresh_token, provider_proof, authentication_method, referrer, linking_target_id,
  awaited_identity, invite_token, created_at, auth_code_issued_at`

export type NewFlowState = {
  readonly id: string
  readonly userId?: string
  readonly codeHash?: string
  readonly challenge?: CodeChallenge
  /** `email`, `magiclink`, … or the name of the provider. */
  readonly providerType: string
  /** How the session will have been proved, see `Method`. */
  readonly method: string
  readonly redirectTo?: string
  readonly linkingTargetId?: string
  readonly inviteToken?: string
}

export async function insertFlowState(queries: Queries, flow: NewFlowState): Promise<void> {
  await queries.query(
    `insert into auth.flow_state (id, user_id, auth_code, code_challenge, code_challenge_method, provider_type,
      authentication_method, referrer, linking_target_id, invite_token, created_at, updated_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now(), now())`,
    [
      flow.id,
      flow.userId ?? null,
      flow.codeHash ?? null,
      flow.challenge?.challenge ?? null,
      flow.challenge?.method ?? null,
      flow.providerType,
      flow.method,
      flow.redirectTo ?? null,
      flow.linkingTargetId ?? null,
      flow.inviteToken ?? null,
    ],
  )
}

/** The person is known now: the app may exchange the code whose hash this is. */
export async function completeFlowState(
  queries: Queries,
  flow: {
    readonly id: string
    readonly userId: string
    readonly codeHash: string
    readonly providerAccessToken?: string
    readonly providerRefreshToken?: string
    readonly providerProof?: ProviderProof
  },
): Promise<void> {
  await queries.query(
    `update auth.flow_state set user_id = $2, auth_code = $3, auth_code_issued_at = now(), updated_at = now(),
      provider_access_token = $4, provider_refresh_token = $5, provider_proof = $6
    where id = $1`,
    [
      flow.id,
      flow.userId,
      flow.codeHash,
      flow.providerAccessToken ?? null,
      flow.providerRefreshToken ?? null,
      flow.providerProof === undefined ? null : JSON.stringify(flow.providerProof),
    ],
  )
}

/** Takes the flow whose code this is, so that nobody can take it again. */
export async function takeFlowState(queries: Queries, codeHash: string): Promise<FlowStateRow | undefined> {
  const text = `delete from auth.flow_state where auth_code = $1 and user_id is not null returning ${columns}`
  return (await queries.query<FlowStateRow>(text, [codeHash]))[0]
}

/** Flows of a person that lead nowhere: a new message of the kind replaced theirs, or nobody exchanged their code. */
export async function deleteIdleFlows(queries: Queries, userId: string, method: string): Promise<void> {
  await queries.query(
    `delete from auth.flow_state where user_id = $1 and authentication_method = $2
      and (auth_code is null or auth_code_issued_at < now() - interval '10 minutes')`,
    [userId, method],
  )
}
