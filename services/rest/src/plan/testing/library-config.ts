import type { RestConfig } from '../../rest-config.ts'

/** Settings under which everything is possible. */
export const libraryConfig: RestConfig = {
  schemas: ['api'],
  extraSearchPath: [],
  aggregatesEnabled: true,
  planEnabled: true,
  txEnd: 'commit',
  openapiMode: 'disabled',
  openapiSecurityActive: false,
  hoistedTxSettings: ['statement_timeout'],
  appSettings: [],
  preparedStatements: true,
  serverCorsAllowedOrigins: [],
}
