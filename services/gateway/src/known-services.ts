/** A service that this wire knows, whether it runs here or not. */
export type KnownService = {
  readonly name: string
  readonly prefix: string
  /** Paths below the prefix that need no `apikey`: links in mails, redirects and services with a check of their own. */
  readonly keyless: 'all' | readonly string[]
}

/** The prefixes of the house. One that no service answers says so with 501; any other path is 404. */
export const knownServices: readonly KnownService[] = [
  { name: 'rest', prefix: '/rest/v1', keyless: [] },
  {
    name: 'auth',
    prefix: '/auth/v1',
    keyless: [
      '/verify',
      '/callback',
      '/authorize',
      '/.well-known/jwks.json',
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server',
    ],
  },
  { name: 'realtime', prefix: '/realtime/v1', keyless: [] },
  { name: 'storage', prefix: '/storage/v1', keyless: 'all' },
  { name: 'functions', prefix: '/functions/v1', keyless: 'all' },
  { name: 'graphql', prefix: '/graphql/v1', keyless: [] },
]

export const serviceNames: readonly string[] = knownServices.map(({ name }) => name)

/** Whether `path`, in its normal form and as the router matched it, is served without a key. */
export function isKeyless({ prefix, keyless }: Pick<KnownService, 'prefix' | 'keyless'>, path: string): boolean {
  return keyless === 'all' || (path.startsWith(prefix) && keyless.includes(path.slice(prefix.length)))
}
