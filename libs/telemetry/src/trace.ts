import { randomBytes } from 'node:crypto'

/** Where a request stands in a distributed trace (W3C Trace Context, level 1). */
export type Trace = {
  /** 32 lower-case hexadecimal digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hexadecimal digits: the caller's span. */
  readonly parentId?: string
  /** Whether the caller records this trace. */
  readonly sampled: boolean
}

const shape = /^([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?$/

/** Reads a `traceparent` header (W3C Trace Context §3.2); anything malformed counts as absent, as §4.3 asks. */
export function parseTraceparent(header: string | undefined): Trace | undefined {
  const match = header === undefined || header.length > 256 ? null : shape.exec(header)
  if (match === null) return undefined
  const [, version, traceId, parentId, flags, rest] = match
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined
  if (/^0+$/.test(traceId!) || /^0+$/.test(parentId!)) return undefined
  return { traceId: traceId!, parentId: parentId!, sampled: (Number.parseInt(flags!, 16) & 1) === 1 }
}

/** Writes the header for the next hop; `spanId` is this hop's own span. */
export function formatTraceparent({ traceId, sampled }: Trace, spanId: string): string {
  return `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
}

/** Random identifiers, injected so that tests know them. */
export type Ids = {
  /** 32 hexadecimal digits. */
  readonly traceId: () => string
  /** 16 hexadecimal digits. */
  readonly spanId: () => string
}

/** Ids from the system's random source, drawn in blocks: one call a few hundred ids instead of one each. */
export function createRandomIds(blockBytes = 4096): Ids {
  let block = ''
  let used = 0
  const take = (digits: number): string => {
    if (used + digits > block.length) {
      block = randomBytes(blockBytes).toString('hex')
      used = 0
    }
    used += digits
    return block.slice(used - digits, used)
  }
  return { traceId: () => take(32), spanId: () => take(16) }
}
