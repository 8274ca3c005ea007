import type { Queries } from '@pando/postgres/database'

/** In which request a hook is asked. */
export type HookCall = {
  /** The client's IP address. */
  readonly address?: string
  /** The transaction that is open, if one is: functions of Postgres run in it. */
  readonly tx?: Queries
}

/** A hook with its input and what it answers, shaped as on the wire. */
export type Hook<Input, Output> = (input: Input, call: HookCall) => Promise<Output>

export type Claims = Readonly<Record<string, unknown>>
type UserJson = Readonly<Record<string, unknown>>

export type EmailData = {
  readonly token: string
  readonly token_hash: string
  readonly redirect_to: string
  readonly email_action_type: string
  readonly site_url: string
  readonly token_new: string
  readonly token_hash_new: string
  readonly old_email: string
  readonly old_phone: string
  readonly provider: string
  readonly factor_type: string
}

export type SmsData = { readonly otp?: string; readonly sms_type?: string; readonly phone?: string }

export type Decision = { readonly decision: string; readonly message: string }

/**
 * The project's own code, one function per hook; those that are off are not there. All reject with a refusal when the
 * hook refuses, answers something else than it should, or not in time.
 */
export type Hooks = {
  /** Gives the claims to sign; those that the SDKs and policies rely on are there. */
  readonly customAccessToken?: Hook<
    { readonly user_id: string; readonly claims: Claims; readonly authentication_method: string },
    Claims
  >
  readonly sendEmail?: Hook<{ readonly user: UserJson; readonly email_data: EmailData }, void>
  readonly sendSms?: Hook<{ readonly user: UserJson; readonly sms: SmsData }, void>
  readonly passwordVerificationAttempt?: Hook<
    { readonly user_id: string; readonly valid: boolean },
    Decision & { readonly shouldLogout: boolean }
  >
  readonly mfaVerificationAttempt?: Hook<
    { readonly user_id: string; readonly factor_id: string; readonly factor_type: string; readonly valid: boolean },
    Decision
  >
  /** Not in a transaction, so that a slow hook holds nothing up. */
  readonly beforeUserCreated?: Hook<{ readonly user: UserJson }, void>
}
