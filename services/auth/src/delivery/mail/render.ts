import mustache from 'mustache'

/** What a template may show. */
export type View = Readonly<Record<string, unknown>>

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Every value stays text, also between the quotes of an attribute. */
export const renderHtml = (template: string, view: View): string =>
  mustache.render(template, view, undefined, {
    escape: (value: unknown) => toText(value).replaceAll(/[&<>"']/g, (letter) => entities[letter]!),
  })

export const renderText = (template: string, view: View): string =>
  mustache.render(template, view, undefined, { escape: toText })

/** A subject is one line: what would begin another header becomes a blank. */
export const renderLine = (template: string, view: View): string =>
  renderText(template, view)
    .replaceAll(/[\s\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim()

const toText = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value))
