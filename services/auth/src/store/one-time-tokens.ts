import type { Queries } from '@pando/postgres/database'

/** A person has one token of a kind; a new one replaces the old one. */
export type TokenKind =
  | 'confirmation_token'
  | 'recovery_token'
  | 'reauthentication_token'
  | 'email_change_token_current'
  | 'email_change_token_new'
  | 'phone_change_token'

export type OneTimeToken = {
  readonly user_id: string
  readonly token_type: TokenKind
  readonly purpose: string
  /** The address or number that it was sent to. */
  readonly relates_to: string
  readonly flow_state_id: string | null
}

const columns = 'user_id, token_type, purpose, relates_to, flow_state_id'

export type NewOneTimeToken = {
  readonly id: string
  readonly userId: string
  readonly kind: TokenKind
  readonly purpose: string
  readonly address: string
  readonly tokenHash: string
  readonly codeHash: string
  readonly expiryMs: number
  readonly flowId?: string
}

export async function insertOneTimeToken(queries: Queries, token: NewOneTimeToken): Promise<void> {
  await queries.query(
    `insert into auth.one_time_tokens (id, user_id, token_type, purpose, relates_to, token_hash, code_hash, expires_at,
      flow_state_id)
    values ($1, $2, $3, $4, $5, $6, $7, now() + $8 * interval '1 millisecond', $9)
    on conflict (user_id, token_type) do update set
      id = excluded.id, purpose = excluded.purpose, relates_to = excluded.relates_to, token_hash = excluded.token_hash,
      code_hash = excluded.code_hash, code_tries = 0, expires_at = excluded.expires_at,
      flow_state_id = excluded.flow_state_id, created_at = excluded.created_at, updated_at = excluded.updated_at`,
    [
      token.id,
      token.userId,
      token.kind,
      token.purpose,
      token.address,
      token.tokenHash,
      token.codeHash,
      token.expiryMs,
      token.flowId ?? null,
    ],
  )
}

/**
 * Locks the people whose tokens could be taken, before the tokens: a new message locks in this order, too, so neither
 * waits for the other for ever.
 */
export async function lockOwners(
  queries: Queries,
  place: { readonly tokenHash: string } | { readonly address: string },
): Promise<void> {
  const [tokenHash, address] = 'tokenHash' in place ? [place.tokenHash, null] : [null, place.address]
  await queries.query(
    `select id from auth.users
    where id in (select user_id from auth.one_time_tokens where token_hash = $1 or relates_to = $2)
    order by id for update`,
    [tokenHash, address],
  )
}

/** Takes the token that a link holds, so that nobody can take it again. */
export async function takeTokenOfLink(
  queries: Queries,
  { tokenHash, purposes }: { tokenHash: string; purposes: readonly string[] },
): Promise<OneTimeToken | undefined> {
  const rows = await queries.query<OneTimeToken>(
    `delete from auth.one_time_tokens where token_hash = $1 and purpose = any ($2) and expires_at > now()
    returning ${columns}`,
    [tokenHash, purposes],
  )
  return rows[0]
}

/** Whom a code was sent to: an address, or a person who is signed in. */
export type CodeOwner = { readonly address: string } | { readonly userId: string }

type Guess = {
  readonly owner: CodeOwner
  readonly purposes: readonly string[]
  readonly codeHash: string
  readonly triesMax: number
}

/**
 * Takes the token that a code belongs to, so that nobody can take it again; a wrong code counts against every token
 * that it could have belonged to. Both in one statement: of many guesses at once no more than `triesMax` are heard, and
 * of many right ones the first. Commit it when it finds nothing, too. After the last try only the link is good.
 */
export async function takeTokenOfCode(
  queries: Queries,
  { owner, purposes, codeHash, triesMax }: Guess,
): Promise<OneTimeToken | undefined> {
  const [address, userId] = 'address' in owner ? [owner.address, null] : [null, owner.userId]
  const rows = await queries.query<OneTimeToken>(
    `with wrong as (
      update auth.one_time_tokens set code_tries = code_tries + 1
      where (relates_to = $1 or user_id = $2) and purpose = any ($3) and code_hash <> $4 and code_tries < $5
    )
    delete from auth.one_time_tokens
    where (relates_to = $1 or user_id = $2) and purpose = any ($3) and code_hash = $4 and code_tries < $5
      and expires_at > now()
    returning ${columns}`,
    [address, userId, purposes, codeHash, triesMax],
  )
  return rows[0]
}

/** Takes the token of a code that somebody else has checked. */
export async function takeTokenOfNumber(
  queries: Queries,
  { owner, purposes }: Pick<Guess, 'owner' | 'purposes'>,
): Promise<OneTimeToken | undefined> {
  const [address, userId] = 'address' in owner ? [owner.address, null] : [null, owner.userId]
  const rows = await queries.query<OneTimeToken>(
    `delete from auth.one_time_tokens
    where (relates_to = $1 or user_id = $2) and purpose = any ($3) and expires_at > now()
    returning ${columns}`,
    [address, userId, purposes],
  )
  return rows[0]
}

/** All that is on its way to a person, except what is for a change of the other address. */
export async function deleteOneTimeTokens(
  queries: Queries,
  userId: string,
  { except }: { except: string },
): Promise<void> {
  await queries.query('delete from auth.one_time_tokens where user_id = $1 and purpose is distinct from $2', [
    userId,
    except,
  ])
}
