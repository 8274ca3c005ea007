/** Where a hook is: a function of the database, or an address with the keys that sign calls to it. */
export type HookTarget =
  | { readonly schema: string; readonly name: string }
  | { readonly url: string; readonly keys: readonly Buffer[] }

const identifier = /^[A-Za-z_][A-Za-z0-9_$]{0,62}$/
const secretForm = /^v1,whsec_(?<key>[A-Za-z0-9+/=]{32,88})$/
/** Where a call may go without TLS: this machine, also as seen from a container on it. */
const localHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', 'host.docker.internal'])

/** Reads `uri` and `secrets` of a hook's options. @throws with what to write instead */
export function parseHookTarget(hook: string, uri: string | null, secrets: string | undefined): HookTarget {
  if (uri === null || !URL.canParse(uri)) throw new Error(`Hook ${hook} is enabled and has no address. ${help}`)
  const url = new URL(uri)
  if (url.protocol === 'pg-functions:') return parseFunction(hook, url)
  const isAllowed = url.protocol === 'https:' || (url.protocol === 'http:' && localHosts.has(url.hostname))
  if (!isAllowed) throw new Error(`Hook ${hook} is at ${uri}. ${help} Plain http is for this machine only.`)
  const keys = (secrets ?? '').split('|').filter((secret) => secret !== '')
  if (keys.length === 0) throw new Error(`Hook ${hook} is called over HTTP and needs secrets. ${secretHelp}`)
  return { url: uri, keys: keys.map((secret) => parseSecret(hook, secret)) }
}

const help = 'Write pg-functions://postgres/<schema>/<function> or https://….'
const secretHelp = 'Write v1,whsec_<base64 of 24 to 64 bytes>, several with | between them.'

function parseFunction(hook: string, { pathname }: URL): HookTarget {
  const [, schema = '', name = '', ...rest] = pathname.split('/')
  if (!identifier.test(schema) || !identifier.test(name) || rest.length > 0)
    throw new Error(`Hook ${hook} names no function: ${JSON.stringify(pathname)}. ${help}`)
  return { schema, name }
}

function parseSecret(hook: string, secret: string): Buffer {
  const key = secretForm.exec(secret.trim())?.groups?.['key']
  if (key === undefined) throw new Error(`A secret of hook ${hook} has another form than it should. ${secretHelp}`)
  return Buffer.from(key, 'base64')
}
