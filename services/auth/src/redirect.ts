import type { AuthOptions } from './config.ts'

type Options = Pick<AuthOptions, 'siteUrl' | 'redirectUrls'>

/**
 * Where to send somebody back to: what was asked, when it is allowed, else the site. An address is allowed when scheme,
 * host and port are the site's, or when all of it matches one of `redirectUrls`, after both were read as a browser
 * reads them (WHATWG URL). Addresses with a user name or a fragment are none.
 */
export function toRedirect(asked: string | undefined, options: Options): string {
  if (asked === undefined || asked === '') return options.siteUrl
  return isAllowedRedirect(asked, options) ? asked : options.siteUrl
}

export function isAllowedRedirect(asked: string, { siteUrl, redirectUrls }: Options): boolean {
  // A browser drops white space and turns backslashes; who writes either wants to be misread.
  if (/[\s\\\p{Cc}]/u.test(asked) || !URL.canParse(asked)) return false
  const url = new URL(asked)
  if (url.username !== '' || url.password !== '' || url.hash !== '') return false
  if (forbiddenSchemes.has(url.protocol)) return false
  const site = new URL(siteUrl)
  if (isWeb(site) && url.protocol === site.protocol && url.host === site.host) return true
  return redirectUrls.some((pattern) => toPattern(pattern).test(url.href))
}

const forbiddenSchemes: ReadonlySet<string> = new Set(['javascript:', 'data:', 'vbscript:', 'file:', 'blob:', 'about:'])

const isWeb = ({ protocol }: URL): boolean => protocol === 'http:' || protocol === 'https:'

const patterns = new Map<string, RegExp>()

/**
 * `*` is any part of a host or path without `.` and `/`, `**` anything, `?` one character; all else stands for itself.
 */
function toPattern(glob: string): RegExp {
  let pattern = patterns.get(glob)
  if (pattern === undefined) {
    const source = normalized(glob)
      .replaceAll(/[\\^$+()[\]{}|.]/g, String.raw`\$&`)
      .replaceAll(/\*\*|\*|\?/g, (wildcard) => (wildcard === '**' ? '.*' : wildcard === '*' ? '[^./]*' : '[^./]'))
    patterns.set(glob, (pattern = new RegExp(`^${source}$`)))
  }
  return pattern
}

/** `https://app.example` and `https://app.example/` are one address. */
function normalized(glob: string): string {
  return /[*?]/.test(glob) || !URL.canParse(glob) ? glob : new URL(glob).href
}
