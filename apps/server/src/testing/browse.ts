/** A browser without a screen: keeps cookies by host and follows redirects, each of which it remembers. */
export type Browser = {
  /** Goes where redirects lead, until `until` says that this address is the app's. */
  go(url: string, until: (url: URL) => boolean): Promise<URL>
  /** One request with this browser's cookies. */
  visit(url: string, init?: RequestInit): Promise<Response>
}

const redirectsMax = 20

export function createBrowser(): Browser {
  const jars = new Map<string, Map<string, string>>()

  async function visit(url: string, init: RequestInit = {}): Promise<Response> {
    const { host } = new URL(url)
    const jar = jars.get(host) ?? new Map<string, string>()
    jars.set(host, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { ...(init.headers as Record<string, string>), ...(cookie === '' ? {} : { cookie }) },
    })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';')
      jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1))
    }
    return response
  }

  return {
    visit,
    go: async (start, until) => {
      let url = new URL(start)
      for (let redirects = 0; redirects < redirectsMax; redirects++) {
        if (until(url)) return url
        const response = await visit(url.href)
        const location = response.headers.get('location')
        if (location === null) throw new Error(`${url.href} answered ${response.status}: ${await response.text()}`)
        url = new URL(location, url)
      }
      throw new Error(`${start} leads nowhere`)
    },
  }
}
