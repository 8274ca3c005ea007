import { options } from '@pando/config/options'
import { type Configuration, readConfiguration, type Sources } from '@pando/config/read-configuration'
import { admissionOptions } from '@pando/admission/config'
import { rateLimitOptions } from '@pando/admission/rate-limits/config'
import { authOptions } from '@pando/auth'
import { busOptions } from '@pando/bus/config'
import { cacheOptions } from '@pando/cache/config'
import { gatewayOptions } from '@pando/gateway'
import { jwtOptions } from '@pando/http/auth/config'
import type { IssuerPolicy } from '@pando/http/auth/issuer-keys'
import { issuerOptions } from '@pando/http/auth/issuer-options'
import { toIssuerPolicies } from '@pando/http/auth/issuer-policies'
import { httpOptions } from '@pando/http/config'
import { changesOptions } from '@pando/changes/config'
import { realtimeOptions } from '@pando/realtime'
import { redisOptions } from '@pando/redis/config'
import { restOptions } from '@pando/rest'
import { telemetryOptions, tracingOptions } from '@pando/telemetry/config'
import { databaseOptions } from './database-options.ts'

export const serverOptions = options({
  prefix: 'server',
  text: 'A node: where it listens, which services it runs, how it ends.',
  options: {
    services: {
      type: 'list',
      default: ['all'],
      flag: 'services',
      text: 'Names of the services that this node runs, or `all`; `gateway` alone for one that passes all requests on.',
    },
    host: { type: 'string', default: '127.0.0.1', flag: 'host', text: 'Address to listen on; `0.0.0.0` for all.' },
    port: {
      type: 'integer',
      default: 54_321,
      min: 0,
      max: 65_535,
      toml: 'api.port',
      flag: 'port',
      text: 'Port of the API; 0 takes a free one.',
    },
    externalUrl: {
      type: 'url',
      default: null,
      toml: 'api.external_url',
      text: 'Address of the API as apps and mails reach it, without a path; where the node listens if not given.',
    },
    adminHost: { type: 'string', default: '127.0.0.1', text: 'Address of the admin listener.' },
    adminPort: {
      type: 'integer',
      default: null,
      min: 0,
      max: 65_535,
      text: 'Port of the admin listener with health, `/metrics` and the admin service; without it there is none.',
    },
    workers: {
      type: 'integer',
      default: null,
      min: 0,
      max: 256,
      flag: 'workers',
      text:
        'Processes of `pando serve` that share the port, 0 for as many as the machine has cores. Without it there is one, ' +
        'which nobody replaces. Limits of connections, memory and rates count for each.',
    },
    drainDelay: {
      type: 'duration',
      default: 3000,
      min: 0,
      text:
        'How long a node that ends still takes new connections while `/health/ready` says no: until load balancers have ' +
        'seen it. After it answers ask their clients to connect anew, and connections that rest as long again, but no ' +
        'longer than 2 s, are closed.',
    },
    drainSpread: {
      type: 'duration',
      default: 5000,
      min: 0,
      text: 'Over how long the WebSockets of a node that ends are closed, so that they do not all come back at once.',
    },
    drainTimeout: {
      type: 'duration',
      default: 25_000,
      min: 0,
      text: 'Longest time for all of that and for the running requests; then their sockets are closed.',
    },
  },
})

/** The options of everything that a node is made of. The command line adds its own group beside these. */
export const serverGroups = {
  server: serverOptions,
  http: httpOptions,
  jwt: jwtOptions,
  issuers: issuerOptions,
  gateway: gatewayOptions,
  admission: admissionOptions,
  rateLimits: rateLimitOptions,
  database: databaseOptions,
  rest: restOptions,
  auth: authOptions,
  realtime: realtimeOptions,
  changes: changesOptions,
  cache: cacheOptions,
  bus: busOptions,
  redis: redisOptions,
  log: telemetryOptions,
  otel: tracingOptions,
} as const

export type ServerConfig = Configuration<typeof serverGroups> & {
  /** Who else is believed, made of `issuers`. */
  readonly issuerPolicies: readonly IssuerPolicy[]
}

/** Reads a node's whole configuration; throws one `ConfigurationError` with all mistakes. */
export function readServerConfig(sources: Sources): ServerConfig {
  const values = readConfiguration(serverGroups, sources)
  return { ...values, issuerPolicies: toIssuerPolicies(values.issuers, values.jwt.anonRole) }
}
