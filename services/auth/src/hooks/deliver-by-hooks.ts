import type { AuthOptions } from '../config.ts'
import { noticeOptionName } from '../delivery/config.ts'
import type { Delivery } from '../delivery/create-delivery.ts'
import type { Mail, MailKind, Notice } from '../messages.ts'
import { toUserJson } from '../user.ts'
import type { EmailData, Hooks } from './hooks.ts'

export type HookDeliveryDeps = {
  readonly hooks: Hooks
  readonly options: AuthOptions
  readonly apiUrl: () => string
  /** Told about a mail whose sender is not told. */
  readonly onMailFailed: (kind: string, error: unknown) => void
}

/**
 * Who causes these knows that the address has an account. For all others, waiting for the hook or hearing what it says
 * would tell a stranger.
 */
const awaited: ReadonlySet<MailKind> = new Set(['invite', 'reauthentication', 'email_change'])

/** Messages by the project's hooks where there are some, all else as before. */
export function deliverByHooks(delivery: Delivery, deps: HookDeliveryDeps): Delivery {
  const { hooks, options, onMailFailed } = deps
  const { sendEmail, sendSms } = hooks
  const running = new Set<Promise<void>>()
  const inBackground = (kind: string, work: Promise<void>): void => {
    const done = work.catch((error: unknown) => onMailFailed(kind, error)).finally(() => running.delete(done))
    running.add(done)
  }
  const mails: Partial<Delivery> | undefined = sendEmail && {
    sendMail: async (mail) => {
      // Both codes of a change of address go in one call, that of the new one.
      if (mail.kind === 'email_change' && mail.to !== mail.newEmail) return
      const user = { ...toUserJson(mail.user), ...(mail.newEmail === undefined ? {} : { new_email: mail.newEmail }) }
      const work = sendEmail({ user, email_data: toEmailData(deps, mail) }, {})
      if (awaited.has(mail.kind)) await work
      else inBackground(mail.kind, work)
    },
    sendNotice: (notice) => {
      if (!options[noticeOptionName(notice.kind)]) return
      const input = { user: toUserJson(notice.user), email_data: toNoticeData(deps, notice) }
      inBackground(notice.kind, sendEmail(input, {}))
    },
  }
  const texts: Partial<Delivery> | undefined = sendSms && {
    verifyText: undefined,
    sendText: async ({ user, phone, code, purpose }) => {
      const sms = { otp: code, phone, ...(purpose === 'factor' ? { sms_type: 'mfa' } : {}) }
      await sendSms({ user: toUserJson(user), sms }, {})
      return {}
    },
  }
  const mustDeliver: Delivery['mustDeliver'] = (channel) => {
    const isHooked = channel === 'email' ? sendEmail !== undefined : sendSms !== undefined
    if (!isHooked) delivery.mustDeliver(channel)
  }
  const drain = async (): Promise<void> => {
    await Promise.all([...running, delivery.drain()])
  }
  return { ...delivery, ...mails, ...texts, mustDeliver, drain }
}

const actionTypes: Readonly<Record<MailKind, string>> = {
  confirmation: 'signup',
  invite: 'invite',
  recovery: 'recovery',
  magic_link: 'magiclink',
  email_change: 'email_change',
  reauthentication: 'reauthentication',
}

const nothing: Omit<EmailData, 'email_action_type' | 'site_url'> = {
  token: '',
  token_hash: '',
  redirect_to: '',
  token_new: '',
  token_hash_new: '',
  old_email: '',
  old_phone: '',
  provider: '',
  factor_type: '',
}

/**
 * The wire's names are crossed: where a change of address is confirmed at both, `token` and `token_hash_new` are for
 * the old address, `token_new` and `token_hash` for the new one.
 */
function toEmailData({ apiUrl }: HookDeliveryDeps, mail: Mail): EmailData {
  const { kind, code, tokenHash, redirectTo, ofOldAddress } = mail
  const common = {
    ...nothing,
    email_action_type: actionTypes[kind],
    site_url: `${apiUrl()}/auth/v1`,
    redirect_to: redirectTo,
    token_hash: tokenHash,
  }
  if (ofOldAddress === undefined) return { ...common, token: code }
  return { ...common, token: ofOldAddress.code, token_hash_new: ofOldAddress.tokenHash, token_new: code }
}

function toNoticeData({ apiUrl }: HookDeliveryDeps, notice: Notice): EmailData {
  return {
    ...nothing,
    email_action_type: `${notice.kind}_notification`,
    site_url: `${apiUrl()}/auth/v1`,
    old_email: notice.oldEmail ?? '',
    old_phone: notice.oldPhone ?? '',
    provider: notice.provider ?? '',
    factor_type: notice.factorType ?? '',
  }
}
