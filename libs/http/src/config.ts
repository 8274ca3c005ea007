import { options, type Values } from '@pando/config/options'
import { refuseTrust } from './trust-proxy.ts'

const second = 1000
const kib = 1024

export const httpOptions = options({
  prefix: 'http',
  text: 'Limits of every HTTP listener. What goes past one is refused with the status that stands in brackets.',
  options: {
    bodyBytesMax: {
      type: 'bytes',
      default: 64 * kib * kib,
      min: kib,
      text: 'Largest request body (413). A service may set a smaller or larger one for its own routes.',
    },
    urlBytesMax: { type: 'bytes', default: 32 * kib, min: 256, max: 64 * kib, text: 'Longest path and query (414).' },
    headersBytesMax: {
      type: 'bytes',
      default: 80 * kib,
      min: 4 * kib,
      max: kib * kib,
      text: 'Most bytes of request line and headers together (431).',
    },
    headersMax: { type: 'integer', default: 100, min: 16, max: 1000, text: 'Most request headers (431).' },
    headersTimeout: {
      type: 'duration',
      default: 15 * second,
      min: 100,
      text: 'Longest time until the headers of a request have arrived (408). Slow senders hold a socket no longer; who connects and says nothing is sent away after half of it to all of it, so that not all leave and come back at once.',
    },
    receiveTimeout: {
      type: 'duration',
      default: 300 * second,
      min: 100,
      text: 'Longest time until a request has arrived with its whole body (408).',
    },
    requestTimeout: {
      type: 'duration',
      default: 60 * second,
      min: 100,
      text: 'The deadline of a request: after it nobody waits for the answer. It is passed on in every hop.',
    },
    idleTimeout: {
      type: 'duration',
      default: 120 * second,
      min: 100,
      text: 'A socket on which nothing moves in either direction for this long, even inside a request, is closed.',
    },
    keepAliveTimeout: {
      type: 'duration',
      default: 72 * second,
      min: 100,
      text: 'How long a socket may rest between requests. Longer than the load balancer rests, or it meets closed sockets.',
    },
    connectionsMax: {
      type: 'integer',
      default: 10_000,
      min: 1,
      text: 'Most sockets at once (503 with Retry-After, then closed). Below the limit of open files of the process.',
    },
    connectionsPerAddressMax: {
      type: 'integer',
      default: 1000,
      min: 1,
      text:
        'Most sockets at once from one address, of IPv6 from one /64 (503 with Retry-After, then closed). Many phones share ' +
        'an address. This machine itself and believed proxies have no such limit.',
    },
    trustProxy: {
      type: 'list',
      default: ['false'],
      refuse: refuseTrust,
      text:
        'Which proxies before this node are believed when they say, with `X-Forwarded-*`, for whom they ask: `false`, none; ' +
        'addresses and networks such as `10.0.0.0/8, 2001:db8::/32`, also `loopback`, `linklocal` and `uniquelocal`; a number, ' +
        'so many of the last hops; `true`, all, behind a proxy that overwrites these headers. The last two only where nobody ' +
        'reaches the node but through the proxies. Limits count whom the farthest believed proxy names.',
    },
    serverTiming: {
      type: 'boolean',
      default: true,
      text: 'Whether answers carry `Server-Timing` with the time of each stage.',
    },
  },
})

/** The limits of a listener; sizes are bytes, times milliseconds. */
export type HttpValues = Values<typeof httpOptions>
