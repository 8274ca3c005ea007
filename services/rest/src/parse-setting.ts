/** The forms of settings, as text; each gives undefined for what it cannot understand. */

export const parseText = (text: string): string | undefined => (text === '' ? undefined : text)

export function parseList(text: string): readonly string[] | undefined {
  const items = text.split(',').map((item) => item.trim().replaceAll(/^"|"$/g, ''))
  return items.every((item) => item !== '') ? items : undefined
}

export function parseCount(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined
}

export function parseFlag(text: string): boolean | undefined {
  const word = text.toLowerCase()
  if (['true', 'on', 'yes', '1'].includes(word)) return true
  return ['false', 'off', 'no', '0'].includes(word) ? false : undefined
}

export const parseOneOf =
  <T extends string>(values: readonly T[]) =>
  (text: string): T | undefined =>
    values.find((value) => value === text)
