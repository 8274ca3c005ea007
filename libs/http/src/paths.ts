/** Empty segments, dot segments (also percent-encoded), backslashes and null bytes. */
const ambiguous = /\/\/|\\|%5c|%00|\/(?:\.|%2e){1,2}(?:\/|%2f|$)/i

/** The path of a request target: everything before the first `?`. */
export function pathOf(url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

/**
 * Whether two programs could read `path` in two ways. Such a path is refused at the door, so that no rule can be
 * bypassed by another spelling: what is left is matched once, case-sensitively, by the router.
 */
export function isAmbiguousPath(path: string): boolean {
  return !path.startsWith('/') || ambiguous.test(path)
}
