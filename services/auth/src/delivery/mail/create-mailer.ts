import { Refusal } from '@pando/core/refusal'
import { errors } from '../../errors.ts'
import type { Mail, MailKind, Notice } from '../../messages.ts'
import { noticeOptionName } from '../config.ts'
import type { Delivery, DeliveryDeps } from '../create-delivery.ts'
import { createMailQueue, type Letter } from './mail-queue.ts'
import { readProjectTemplates } from './project-templates.ts'
import { renderMail, type RenderedMail } from './render-mail.ts'
import { createMailServer } from './smtp.ts'
import { toMailToRender } from './to-mail-to-render.ts'

type MailerDeps = DeliveryDeps & Required<Pick<DeliveryDeps, 'sleep'>>
type Mailer = Pick<Delivery, 'sendMail' | 'sendNotice' | 'start' | 'drain' | 'close'> & {
  /** @throws when no mail could be sent now */
  readonly mustSend: () => void
}

/**
 * Only an admin or the person themselves cause these, who know the address already. For the others, waiting would tell
 * a stranger whether there is an account.
 */
const awaited: ReadonlySet<MailKind> = new Set(['invite', 'reauthentication'])

/** Mails by the mail server; where there is none, into the outbox. @throws when a template or a setting is wrong */
export function createMailer(deps: MailerDeps): Mailer {
  const { options, outbox, observe } = deps
  const templates = readProjectTemplates(options)
  const render = (mail: Mail | Notice): RenderedMail => renderMail(templates, toMailToRender(options, mail))
  const server = createMailServer(options)
  const { smtpPatience: patienceMs, smtpTimeout: timeoutMs, mailsQueuedMax: waitingMax } = options
  const queue = server && createMailQueue({ ...deps, server, waitingMax, patienceMs, timeoutMs })
  const toLetter = (mail: Mail | Notice): Letter => ({
    kind: mail.kind,
    userId: mail.user.id,
    write: () => ({ ...render(mail), to: mail.to, id: deps.randomBytes(16).toString('hex') }),
  })

  return {
    mustSend() {
      if (queue !== undefined) queue.mustHaveRoom()
      else if (outbox === undefined) throw errors.mailNotConfigured()
    },
    async sendMail(mail) {
      if (queue !== undefined) {
        if (!awaited.has(mail.kind)) return queue.add(toLetter(mail))
        return queue.send(toLetter(mail)).catch((error: unknown) => refuse(error, mail))
      }
      if (outbox === undefined) throw errors.mailNotConfigured()
      const { kind, to, code, tokenHash, actionUrl: link } = mail
      outbox.add({ channel: 'email', kind, to, ...render(mail), code, tokenHash, link })
    },
    sendNotice(notice) {
      const { kind, to, user } = notice
      if (!options[noticeOptionName(kind)]) return
      try {
        if (queue !== undefined) queue.add(toLetter(notice))
        else outbox?.add({ channel: 'email', kind, to, ...render(notice) })
      } catch (error) {
        observe({ name: 'mail_failed', kind, userId: user.id, error })
      }
    },
    start: () => void server?.verify().catch((error: unknown) => observe({ name: 'mail_server_unreachable', error })),
    drain: async () => queue?.drain(),
    close: async () => queue?.close(),
  }
}

/** A final no to RCPT (RFC 5321 §4.3.2) is about the address; what else goes wrong is ours to put right. */
function refuse(error: unknown, { kind, to }: Mail): never {
  if (error instanceof Refusal) throw error
  const { responseCode = 0, command } = error as { responseCode?: number; command?: string }
  throw command === 'RCPT TO' && responseCode >= 500 ? errors.mailRefused(to) : errors.mailNotSent(kind)
}
