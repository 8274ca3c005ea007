import { options, type Values } from '@pando/config/options'

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
      text: 'Services on other nodes, as `name=http://host:port`, for example `auth=http://auth.internal:54321`.',
    },
    upstreamConnectionsMax: { type: 'integer', default: 128, min: 1, text: 'Most connections to one upstream.' },
    upstreamConnectTimeout: {
      type: 'duration',
      default: 2000,
      min: 10,
      text: 'Longest time to connect to an upstream (502).',
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
