/**
 * The kind of a request, whose latency is compared with that of its like: the method and what comes first after the
 * prefix, which is a table, an endpoint, or (after `rpc/` and `object/`) the one after that.
 */
export function kindOf(method: string, url: string, prefixLength: number): string {
  const start = prefixLength + 1
  let end = endOfSegment(url, start)
  if (nested.has(url.slice(start, end)) && url[end] === '/') end = endOfSegment(url, end + 1)
  return `${method} ${url.slice(start, end)}`
}

const nested: ReadonlySet<string> = new Set(['rpc', 'object', 'admin', 'factors'])

function endOfSegment(url: string, start: number): number {
  let end = start
  while (end < url.length && url[end] !== '/' && url[end] !== '?') end += 1
  return end
}
