import type { QualifiedName } from '@pando/catalogue/catalogue'
import type { TokenRules } from '@pando/http/auth/token-rules'

/**
 * The settings in force for a catalogue generation: the service's options with `alter role authenticator set pgrst.…`
 * laid over them. Names and meanings are those of PostgREST v14's configuration page.
 */
export type RestConfig = {
  /** Exposed schemas; the first is the default. */
  readonly schemas: readonly string[]
  readonly extraSearchPath: readonly string[]
  readonly maxRows?: number
  readonly aggregatesEnabled: boolean
  readonly planEnabled: boolean
  readonly preRequest?: QualifiedName
  /** A function that answers `GET /` instead of the OpenAPI description. */
  readonly rootSpec?: QualifiedName
  readonly txEnd: 'commit' | 'commit-allow-override' | 'rollback' | 'rollback-allow-override'
  readonly openapiMode: 'follow-privileges' | 'ignore-privileges' | 'disabled'
  readonly openapiSecurityActive: boolean
  readonly openapiServerProxyUri?: string
  /** Function settings (`create function … set …`) that are applied to the whole transaction of a call. */
  readonly hoistedTxSettings: readonly string[]
  /** `app.settings.<name>` for every request. */
  readonly appSettings: readonly (readonly [name: string, value: string])[]
  readonly preparedStatements: boolean
  /** What the database says of tokens; undefined where it says nothing. */
  readonly tokenRules?: TokenRules
  /** Origins whose pages may read answers; any when there is none. */
  readonly serverCorsAllowedOrigins: readonly string[]
  /** A header, in lower case, that answers repeat. */
  readonly serverTraceHeader?: string
  /** Whether answers say how long each stage took; as all others of the node when it is undefined. */
  readonly serverTimingEnabled?: boolean
}
