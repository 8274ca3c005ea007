import type * as htmlToText from 'html-to-text'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { MailKind, NoticeKind } from '../../messages.ts'
import { locales, type Texts } from './locales.ts'
import type { ProjectTemplates } from './project-templates.ts'
import { renderHtml, renderLine, renderText, type View } from './render.ts'

/** A mail as people see it. */
export type RenderedMail = { readonly subject: string; readonly html: string; readonly text: string }

export type MailToRender = {
  readonly kind: MailKind | NoticeKind
  /** One of `locales`. */
  readonly locale: string
  /** How long code and link are good; a notice has neither. */
  readonly validityMs?: number
  /** The variables of a template of the project, by the names that existing templates know. */
  readonly view: View
}

const load = createRequire(import.meta.url)

const layouts = {
  html: readFileSync(new URL('../templates/layout.html', import.meta.url), 'utf8'),
  text: readFileSync(new URL('../templates/layout.txt', import.meta.url), 'utf8'),
}

/**
 * A mail in the project's own template where it has one, else in ours. Ours hold nothing that the person wrote: whoever
 * signs up with the address of somebody else must not be able to send them words.
 */
export function renderMail(templates: ProjectTemplates, mail: MailToRender): RenderedMail {
  const { kind, view } = mail
  const own = templates[kind]
  const ours = renderOurs(mail)
  const subject = own?.subject === undefined ? ours.subject : renderLine(own.subject, view)
  if (own?.html === undefined) return { ...ours, subject }
  const html = renderHtml(own.html, view)
  // Only projects with templates of their own need it.
  const { convert } = load('html-to-text') as typeof htmlToText
  return { subject, html, text: convert(html, { wordwrap: false }) }
}

function renderOurs({ kind, locale, validityMs, view }: MailToRender): RenderedMail {
  const texts = locales.get(locale)!
  const { subject, title, body, action } = texts.mails[kind]
  const hasLink = action !== undefined && view['ConfirmationURL'] !== undefined
  const validity = validityMs === undefined ? undefined : formatValidity(validityMs, locale)
  const say = (template: string): string => renderText(template, { ...view, Validity: validity })
  const filled = {
    ...view,
    Language: locale,
    Subject: renderLine(subject, view),
    Title: say(title),
    Body: say(body),
    Preview: say(body),
    Action: hasLink ? action : undefined,
    CodeHint: hasLink ? texts.codeBesideLink : texts.code,
    LinkHint: texts.link,
    Expiry: validity === undefined ? undefined : say(hasLink ? texts.expiry : texts.codeExpiry),
    Ending: endingOf(texts, validity !== undefined),
  }
  return { subject: filled.Subject, html: renderHtml(layouts.html, filled), text: renderText(layouts.text, filled) }
}

const endingOf = (texts: Texts, asksForSomething: boolean): string => (asksForSomething ? texts.unasked : texts.alarm)

const formats = new Map<string, Intl.NumberFormat>()

/** `10 minutes`, in the largest unit that is whole. */
function formatValidity(ms: number, locale: string): string {
  const seconds = Math.floor(ms / 1000)
  const [unit, secondsEach] = units.find(([, each]) => seconds % each === 0)!
  const key = `${locale} ${unit}`
  let format = formats.get(key)
  // Making one takes longer than all the rest of a mail.
  if (format === undefined)
    formats.set(key, (format = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' })))
  return format.format(seconds / secondsEach)
}

const units = [
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const
