import { expect, test } from 'vitest'
import type { MailKind, NoticeKind } from '../../messages.ts'
import { chooseLocale, locales } from './locales.ts'
import { renderMail } from './render-mail.ts'

const kinds = Object.keys(locales.get('en')!.mails) as (MailKind | NoticeKind)[]
const view = {
  SiteURL: 'https://roam.example',
  SiteHost: 'roam.example',
  SiteName: 'Roam',
  Email: 'ada@roam.example',
  NewEmail: 'countess@roam.example',
  OldEmail: 'ada@old.example',
  Phone: '15550100',
  Provider: 'google',
  FactorType: 'totp',
  ConfirmationURL: 'https://api.roam.example/auth/v1/verify?token=abc&type=signup',
  Token: '482915',
  Data: { name: '<script>alert(1)</script>' },
}

test('every language says the same things with the same variables', () => {
  const shapeOf = (value: unknown): unknown =>
    typeof value === 'string'
      ? (value.match(/\{\{\w+\}\}/g) ?? []).toSorted()
      : Object.fromEntries(Object.entries(value as object).map(([name, member]) => [name, shapeOf(member)]))
  expect([...locales.keys()].toSorted()).toEqual(['de', 'en', 'es', 'fr', 'ja', 'pt'])
  for (const texts of locales.values()) expect(shapeOf(texts)).toEqual(shapeOf(locales.get('en')))
})

test('every mail of every language is whole', () => {
  for (const locale of locales.keys())
    for (const kind of kinds) {
      const { subject, html, text } = renderMail({}, { kind, locale, validityMs: 600_000, view })
      expect(subject).toMatch(/\S/)
      expect(html).toContain(`<html lang="${locale}"`)
      for (const part of [subject, html, text]) expect(part).not.toMatch(/\{\{|\}\}|undefined|\[object/)
    }
})

test('a mail has its link and its code in both parts', () => {
  const { html, text } = renderMail({}, { kind: 'confirmation', locale: 'en', validityMs: 600_000, view })
  expect(html).toContain('href="https://api.roam.example/auth/v1/verify?token=abc&amp;type=signup"')
  expect(text).toContain('https://api.roam.example/auth/v1/verify?token=abc&type=signup\n')
  for (const part of [html, text]) {
    expect(part).toContain('482915')
    expect(part).toContain('10 minutes')
  }
})

test('a mail that only asks for a code has no button', () => {
  const { ConfirmationURL: _, ...withoutLink } = view
  const { html, subject } = renderMail(
    {},
    { kind: 'reauthentication', locale: 'de', validityMs: 60_000, view: withoutLink },
  )
  expect(subject).toBe('482915 ist dein Code')
  expect(html).not.toContain('class="button"')
  expect(html).toContain('1 Minute')
})

test('our mails hold nothing that the person wrote', () => {
  for (const kind of kinds) {
    const { html, text } = renderMail({}, { kind, locale: 'en', view })
    expect(html + text).not.toContain('alert')
  }
})

test('a template of the project wins, and its plain part is made of it', () => {
  const templates = {
    invite: {
      subject: 'Hi {{Data.name}}',
      html: '<p>Dear {{Data.name}}, <a href="{{ConfirmationURL}}">come in</a></p>',
    },
  }
  const { subject, html, text } = renderMail(templates, { kind: 'invite', locale: 'en', validityMs: 1000, view })
  expect(subject).toBe('Hi <script>alert(1)</script>')
  expect(html).toContain('Dear &lt;script&gt;alert(1)&lt;/script&gt;,')
  expect(text).toContain('come in [https://api.roam.example/auth/v1/verify?token=abc&type=signup]')
})

test('a subject is one line, whatever is filled in', () => {
  const templates = { invite: { subject: 'Hi {{Data.name}}' } }
  const own = { ...view, Data: { name: 'Ada\r\nBcc: everybody@example.com\u2028\0x' } }
  const { subject } = renderMail(templates, { kind: 'invite', locale: 'en', view: own })
  expect(subject).toBe('Hi Ada Bcc: everybody@example.com x')
})

test.each([
  [{ userLocale: 'de-AT', acceptLanguage: 'fr' }, 'de'],
  [{ userLocale: 'pt_BR', acceptLanguage: undefined }, 'pt'],
  [{ userLocale: 'tlh', acceptLanguage: 'da, fr;q=0.5, ja;q=0.8' }, 'ja'],
  [{ userLocale: { toString: 'de' }, acceptLanguage: '*;q=0.1' }, 'es'],
  [{ userLocale: '../../etc/passwd', acceptLanguage: 'de;q=0' }, 'es'],
  [{ userLocale: undefined, acceptLanguage: ',,;q=,;'.repeat(9) }, 'es'],
])('of %j the language is %s', (asked, language) => {
  expect(chooseLocale({ ...asked, fallback: 'es' })).toBe(language)
})
