import { encodeOf } from '@pando/http/encodings'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream'
import { callbackify, promisify } from 'node:util'
import { brotliCompress, constants, createBrotliCompress, createGzip, gzip } from 'node:zlib'

const compressible = /^(?:text\/(?!event-stream)|application\/(?:[\w.+-]*\+)?(?:json|xml|javascript)|image\/svg\+xml)/i
// The quality at which compressing costs less than sending does on a phone's network; the defaults (11, 6) do not.
const brotliQuality = { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }
const gzipLevel = { level: 4 }

type Coding = 'br' | 'gzip'

/**
 * Compresses answers where it pays: text of at least `bytesMin` bytes for a client that accepts it. Whole bodies are
 * compressed in the thread pool, once for each coding where the body is kept; streams as they pass, flushed chunk by chunk.
 * Small answers cost one comparison.
 */
export function addCompression(app: FastifyInstance, { bytesMin }: { bytesMin: number }): void {
  app.addHook('onSend', (request, reply, payload: unknown, done) => {
    const isStream = payload instanceof Readable
    if (!isStream && lengthOf(payload) < bytesMin) return done(null, payload)
    if (!isWorthIt(reply)) return done(null, payload)
    addVary(reply)
    const coding = preferredCoding(request.raw.headers['accept-encoding'])
    if (coding === undefined || request.method === 'HEAD') return done(null, payload)
    if (isStream && Number(reply.getHeader('content-length') ?? bytesMin) < bytesMin) return done(null, payload)
    reply.header('content-encoding', coding).removeHeader('content-length')
    weakenEtag(reply)
    if (isStream) return done(null, compressStream(payload, coding))
    compressWhole(payload as string | Buffer, coding, (error, compressed) => {
      if (error) return done(error)
      reply.header('content-length', String(compressed.length))
      done(null, compressed)
    })
  })
}

function lengthOf(payload: unknown): number {
  if (typeof payload === 'string') return Buffer.byteLength(payload)
  return Buffer.isBuffer(payload) ? payload.length : 0
}

/** A range of bytes must stay as it is; a range of rows (`Content-Range: 0-9/100`) is an answer like any other. */
function isWorthIt(reply: FastifyReply): boolean {
  return (
    reply.statusCode !== 204 &&
    reply.statusCode !== 304 &&
    reply.getHeader('content-encoding') === undefined &&
    compressible.test(String(reply.getHeader('content-type') ?? '')) &&
    !String(reply.getHeader('content-range') ?? '').startsWith('bytes') &&
    !String(reply.getHeader('cache-control') ?? '').includes('no-transform')
  )
}

function addVary(reply: FastifyReply): void {
  const vary = reply.getHeader('vary')
  reply.header('vary', vary === undefined ? 'Accept-Encoding' : `${String(vary)}, Accept-Encoding`)
}

/** The same bytes under another coding are another representation: a strong tag would lie (RFC 9110 §8.8.1). */
function weakenEtag(reply: FastifyReply): void {
  const etag = reply.getHeader('etag')
  if (typeof etag === 'string' && !etag.startsWith('W/')) reply.header('etag', `W/${etag}`)
}

/** The better coding that the client accepts (RFC 9110 §12.5.3); a weight of 0 means it does not. */
export function preferredCoding(header: string | string[] | undefined): Coding | undefined {
  if (header === undefined) return undefined
  const weights = new Map<string, number>()
  for (const item of String(header).toLowerCase().split(',')) {
    const [name, ...parameters] = item.split(';').map((part) => part.trim())
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
    weights.set(name!, weight === undefined ? 1 : Number(weight))
  }
  return (['br', 'gzip'] as const).find((coding) => (weights.get(coding) ?? weights.get('*') ?? 0) > 0)
}

const compress = { br: promisify(brotliCompress), gzip: promisify(gzip) }

const compressWhole = callbackify((payload: string | Buffer, coding: Coding): Promise<Buffer> => {
  const make = (): Promise<Buffer> =>
    coding === 'br' ? compress.br(payload, brotliQuality) : compress.gzip(payload, gzipLevel)
  return encodeOf(payload)?.(coding, make) ?? make()
})

function compressStream(source: Readable, coding: Coding): Transform {
  const compressor =
    coding === 'br'
      ? createBrotliCompress({ ...brotliQuality, flush: constants.BROTLI_OPERATION_FLUSH })
      : createGzip({ ...gzipLevel, flush: constants.Z_SYNC_FLUSH })
  // An error of either side destroys both; Fastify sees that of the compressor and ends the socket.
  return pipeline(source, compressor, () => undefined) as Transform
}
