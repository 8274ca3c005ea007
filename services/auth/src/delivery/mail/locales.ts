import { readdirSync, readFileSync } from 'node:fs'
import type { MailKind, NoticeKind } from '../../messages.ts'

/** What one mail says; `action` is the word on its button. All are templates. */
type MailTexts = { readonly subject: string; readonly title: string; readonly body: string; readonly action?: string }

/** Everything that is said in one language. */
export type Texts = {
  readonly codeBesideLink: string
  readonly code: string
  readonly link: string
  readonly expiry: string
  readonly codeExpiry: string
  readonly unasked: string
  readonly alarm: string
  readonly sms: string
  readonly mails: Readonly<Record<MailKind | NoticeKind, MailTexts>>
}

const folder = new URL('../templates/texts/', import.meta.url)

/** By language, for example `de`. */
export const locales: ReadonlyMap<string, Texts> = new Map(
  readdirSync(folder).map((file) => [
    file.replace('.json', ''),
    JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Texts,
  ]),
)

const textMax = 200

type Asked = {
  /** `user_metadata.locale`: anything, the user wrote it. */
  readonly userLocale: unknown
  readonly acceptLanguage: string | undefined
  readonly fallback: string
}

/** The language to write in: the person's own, else one their device asks for (RFC 9110 §12.5.4), else `fallback`. */
export function chooseLocale({ userLocale, acceptLanguage, fallback }: Asked): string {
  const own = typeof userLocale === 'string' ? [userLocale] : []
  const wanted = [...own, ...byPreference(acceptLanguage ?? ''), fallback]
  return wanted.map(languageOf).find((language) => locales.has(language)) ?? 'en'
}

/** `pt_BR` and `pt-BR` are `pt`. */
const languageOf = (locale: string): string => /^[a-z]{2,3}(?=[-_]|$)/i.exec(locale.trim())?.[0].toLowerCase() ?? ''

function byPreference(header: string): string[] {
  return header
    .slice(0, textMax)
    .split(',')
    .map((part) => {
      const [range = '', ...parameters] = part.split(';')
      const quality = parameters.map((text) => /^\s*q=([\d.]+)\s*$/.exec(text)?.[1]).find((text) => text !== undefined)
      return { range, quality: quality === undefined ? 1 : Number(quality) }
    })
    .filter(({ quality }) => quality > 0)
    .toSorted((left, right) => right.quality - left.quality)
    .map(({ range }) => range)
}
