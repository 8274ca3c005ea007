/** Where a server is: an address, or who is asked for it at each new connection because it may move. */
export type ServerUrl = string | (() => string)

/** The address as it is now. */
export function currentUrl(url: ServerUrl): string {
  return typeof url === 'string' ? url : url()
}

/**
 * The same login and database on another server, named as `host`, `host:port` or `[v6]:port`; without a port as in
 * `url`. A unix socket's folder is percent-encoded. Throws when that is no address.
 */
export function atServer(url: string, server: string): string {
  const moved = new URL(url)
  const named = parseServer(server)
  moved.hostname = named.hostname
  if (named.port !== '') moved.port = named.port
  // `host` and `port` of the query would win over these.
  moved.searchParams.delete('host')
  moved.searchParams.delete('port')
  return moved.href
}

/** Whether `server` is what `atServer` takes. */
export function isServer(server: string): boolean {
  try {
    return parseServer(server).hostname !== ''
  } catch {
    return false
  }
}

function parseServer(server: string): URL {
  if (/[/?#@,\s]/.test(server)) throw new TypeError(`"${server}" is no server; expected host or host:port`)
  return new URL(`postgres://${server}`)
}
