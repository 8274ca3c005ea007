import type { Queries } from '@pando/postgres/database'

/** When the latest message of a kind was sent, as the user's JSON tells. */
export type SentColumn =
  | 'confirmation_sent_at'
  | 'recovery_sent_at'
  | 'email_change_sent_at'
  | 'phone_change_sent_at'
  | 'reauthentication_sent_at'

const marks: Readonly<Record<SentColumn, string>> = {
  confirmation_sent_at: 'update auth.users set confirmation_sent_at = now() where id = $1',
  recovery_sent_at: 'update auth.users set recovery_sent_at = now() where id = $1',
  email_change_sent_at: 'update auth.users set email_change_sent_at = now() where id = $1',
  phone_change_sent_at: 'update auth.users set phone_change_sent_at = now() where id = $1',
  reauthentication_sent_at: 'update auth.users set reauthentication_sent_at = now() where id = $1',
}

export async function markSent(queries: Queries, userId: string, column: SentColumn): Promise<void> {
  await queries.query(marks[column], [userId])
}

export async function markInvited(queries: Queries, userId: string): Promise<void> {
  await queries.query('update auth.users set invited_at = now() where id = $1', [userId])
}

/** Which sides of a change of address have agreed. */
export const emailChangeStatus = { none: 0, current: 1, next: 2 } as const

export async function beginEmailChange(queries: Queries, userId: string, email: string): Promise<void> {
  await queries.query(
    `update auth.users set email_change = $2, email_change_confirm_status = 0, updated_at = now() where id = $1`,
    [userId, email],
  )
}

export async function markEmailChange(queries: Queries, userId: string, status: 1 | 2): Promise<void> {
  await queries.query('update auth.users set email_change_confirm_status = $2, updated_at = now() where id = $1', [
    userId,
    status,
  ])
}

export async function beginPhoneChange(queries: Queries, userId: string, phone: string): Promise<void> {
  await queries.query('update auth.users set phone_change = $2, updated_at = now() where id = $1', [userId, phone])
}

export async function endEmailChange(queries: Queries, userId: string): Promise<void> {
  await queries.query(`update auth.users set email_change = '', email_change_confirm_status = 0 where id = $1`, [
    userId,
  ])
}

export async function endPhoneChange(queries: Queries, userId: string): Promise<void> {
  await queries.query(`update auth.users set phone_change = '' where id = $1`, [userId])
}
