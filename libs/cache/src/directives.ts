/** What a request says about caches (`Cache-Control`, RFC 9111 §5.2.1). */
export type Directives = {
  /** How old the answer may be, in milliseconds; undefined where nothing is said. */
  readonly maxAgeMs: number | undefined
  /** The answer must be read now. */
  readonly noCache: boolean
  /** Neither kept before nor afterwards. */
  readonly noStore: boolean
}

const nothing: Directives = { maxAgeMs: undefined, noCache: false, noStore: false }

/** What is not understood is left out, as the specification wants it. */
export function parseDirectives(header: string | undefined): Directives {
  if (header === undefined) return nothing
  const members = header.toLowerCase().split(',').map(trim)
  const seconds = members
    .map((member) => /^max-age="?(\d{1,9})"?$/.exec(member)?.[1])
    .find((found) => found !== undefined)
  return {
    maxAgeMs: seconds === undefined ? undefined : Number(seconds) * 1000,
    noCache: members.includes('no-cache') || Number(seconds) === 0,
    noStore: members.includes('no-store'),
  }
}

const trim = (text: string): string => text.trim()
