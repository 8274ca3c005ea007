/** By the name of a service, the origins at which it is reached, for example `http://auth.internal:54321`. */
export type Origins = ReadonlyMap<string, readonly string[]>

/**
 * Reads items `name=http://host:port`. A service that stands there more than once has several addresses.
 *
 * @throws with the item that is not one, names a service nobody knows, or stands there twice
 */
export function parseUpstreams(items: readonly string[], names: readonly string[]): Origins {
  const origins = new Map<string, string[]>()
  for (const item of items) {
    const { name, origin } = parseUpstream(item, names)
    const known = origins.get(name) ?? []
    if (known.includes(origin)) throw new Error(`${item} stands there twice`)
    origins.set(name, [...known, origin])
  }
  return origins
}

function parseUpstream(item: string, names: readonly string[]): { name: string; origin: string } {
  const at = item.indexOf('=')
  const name = item.slice(0, at)
  const url = URL.parse(item.slice(at + 1))
  if (at < 1 || url === null || !/^https?:$/.test(url.protocol) || url.pathname !== '/')
    throw new Error(`${item} is not name=http://host:port`)
  if (!names.includes(name)) throw new Error(`there is no service ${name}, but ${names.join(', ')}`)
  return { name, origin: url.origin }
}

/** The same from a file: an item a line; empty lines and what follows a `#` mean nothing. */
export function parseUpstreamsFile(text: string, names: readonly string[]): Origins {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim())
  return parseUpstreams(
    lines.filter((line) => line !== ''),
    names,
  )
}
