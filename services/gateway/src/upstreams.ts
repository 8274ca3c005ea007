/** A service on another node. `origin` is for example `http://auth.internal:54321`. */
export type Upstream = { readonly name: string; readonly origin: string }

/**
 * Reads `name=http://host:port` items. Throws with every item that is not one, names a service nobody knows, or names
 * one twice.
 */
export function parseUpstreams(items: readonly string[], names: readonly string[]): Upstream[] {
  const upstreams = items.map((item): Upstream => {
    const at = item.indexOf('=')
    const name = item.slice(0, at)
    const url = URL.parse(item.slice(at + 1))
    if (at < 1 || url === null || !/^https?:$/.test(url.protocol) || url.pathname !== '/')
      throw new Error(`PANDO_GATEWAY_UPSTREAMS: ${item} is not name=http://host:port`)
    if (!names.includes(name))
      throw new Error(`PANDO_GATEWAY_UPSTREAMS: there is no service ${name}, but ${names.join(', ')}`)
    return { name, origin: url.origin }
  })
  const twice = upstreams.find(({ name }, index) => upstreams.findIndex((other) => other.name === name) !== index)
  if (twice !== undefined) throw new Error(`PANDO_GATEWAY_UPSTREAMS: ${twice.name} stands there twice`)
  return upstreams
}
