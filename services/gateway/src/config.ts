import { options, type Values } from '@pando/config/options'
import { serviceNames } from './known-services.ts'
import { parseUpstreams } from './upstreams/parse-upstreams.ts'

/** The mistake in a list of upstreams, or undefined. */
function refuseUpstreams(items: readonly string[]): string | undefined {
  try {
    parseUpstreams(items, serviceNames)
    return undefined
  } catch (error) {
    return `has a mistake: ${(error as Error).message}`
  }
}

export const gatewayOptions = options({
  prefix: 'gateway',
  text: 'The door of a node: routing, keys, CORS, compression.',
  options: {
    apiKeyRequired: {
      type: 'boolean',
      default: false,
      text: 'Whether a request without a known `apikey` (header or query) is refused with 401, except on key-exempt paths.',
    },
    compressionBytesMin: {
      type: 'bytes',
      default: 2048,
      min: 0,
      text: 'Answers of at least this size are compressed when the client accepts it. Smaller ones fit in two packets.',
    },
    corsMaxAge: { type: 'duration', default: 86_400_000, min: 0, text: 'How long a browser may remember a preflight.' },
    upstreams: {
      type: 'list',
      default: [],
      refuse: refuseUpstreams,
      text:
        'Services on other nodes, as `name=http://host:port`, for example `auth=http://auth.internal:54321`. A service may stand ' +
        'there several times, and a host may have several addresses in the DNS: requests go to all of them.',
    },
    upstreamsFile: {
      type: 'string',
      default: null,
      text: 'In place of `upstreams`: path of a file with one of them a line (`#` begins a comment), read again while the node runs.',
    },
    upstreamRefresh: {
      type: 'duration',
      default: 5000,
      min: 100,
      text: 'How often names of upstreams are resolved again, and the file of upstreams is read again.',
    },
    upstreamConnectionsMax: {
      type: 'integer',
      default: 128,
      min: 1,
      text: 'Most connections to one address of an upstream.',
    },
    upstreamRequestsMax: {
      type: 'integer',
      default: 1024,
      min: 1,
      text: 'Most requests at once to one address, those that wait for a connection among them (503).',
    },
    upstreamConnectTimeout: {
      type: 'duration',
      default: 2000,
      min: 10,
      text: 'Longest time to connect to an upstream (503).',
    },
    upstreamProbeInterval: {
      type: 'duration',
      default: 1000,
      min: 50,
      text: 'How often each address is asked for its `/health/ready`; one that is not ready gets no requests while others are.',
    },
    upstreamProbeTimeout: {
      type: 'duration',
      default: 1000,
      min: 10,
      text: 'An address that has not answered for this long whether it is ready is taken for one that is not.',
    },
    upstreamFailuresMax: {
      type: 'integer',
      default: 5,
      min: 1,
      text: 'So many faults in a row (5xx, broken connections), and an address gets no requests for a time while others can.',
    },
    upstreamEjection: {
      type: 'duration',
      default: 1000,
      min: 10,
      text: 'For how long the first time; each time after that doubles it.',
    },
    upstreamEjectionMax: { type: 'duration', default: 60_000, min: 10, text: 'For how long at most.' },
    upstreamRetryShare: {
      type: 'number',
      default: 0.2,
      min: 0,
      max: 1,
      text:
        'The share of requests that may be sent again, to another address, when a connection fails: those that read, and ' +
        'those of which nothing was sent.',
    },
    websocketsMax: {
      type: 'integer',
      default: 4000,
      min: 0,
      text: 'Most WebSockets that pass through to upstreams at once (503); each takes two sockets of the process.',
    },
    websocketIdleTimeout: {
      type: 'duration',
      default: 120_000,
      min: 100,
      text: 'A WebSocket to an upstream on which nothing moves in either direction for this long is closed.',
    },
    metricsPublic: {
      type: 'boolean',
      default: false,
      text: 'Whether `/metrics` is on this listener too and not on the admin listener alone.',
    },
  },
})
export type GatewayValues = Values<typeof gatewayOptions>
