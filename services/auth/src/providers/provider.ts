import type { IssuerKeys } from '@pando/http/auth/issuer-keys'
import type { FetchBounds } from '@pando/http/fetch-bounded'
import type { ServerMetadata } from 'openid-client'
import type { Definition } from './definition.ts'

/** A provider as this project uses it. */
export type Provider = {
  /** As apps ask for it and identities have it: `google`, `custom:acme`. */
  readonly name: string
  readonly definition: Definition
  /** The first is ours in the browser, the others are those of native apps. */
  readonly clientIds: readonly string[]
  /** Empty for a public client; may be made anew for each use. */
  readonly secret: (clientId: string) => Promise<string>
  /** Only people whose app brings an ID token come in; nobody is sent there. */
  readonly secretMissing: boolean
  readonly redirectUri: string | undefined
  readonly url: string | undefined
  readonly skipNonceCheck: boolean
  readonly emailOptional: boolean
  /** Its endpoints. */
  readonly metadata: () => Promise<ServerMetadata>
  readonly bounds: FetchBounds
  /** Of ID tokens; absent where the provider makes none. */
  readonly issuer: { readonly name: string; readonly keys: IssuerKeys } | undefined
}

/** The enabled ones, by name. */
export type Providers = ReadonlyMap<string, Provider>
