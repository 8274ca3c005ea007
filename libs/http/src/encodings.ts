/** Gives a body in a coding: what `make` makes now, or has made before. */
export type Encode = (coding: string, make: () => Promise<Buffer>) => Promise<Buffer>

const kept = new WeakMap<Buffer, Encode>()

/**
 * From now on this body is encoded once for each coding, and what comes of it is kept as long as the body is. `onKept` is
 * told of how many more bytes there are; a coding that fails is tried again.
 */
export function keepEncodings(body: Buffer, onKept: (bytes: number) => void): void {
  const encodings = new Map<string, Promise<Buffer>>()
  const encode = async (coding: string, make: () => Promise<Buffer>): Promise<Buffer> => {
    try {
      const encoded = toOwn(await make())
      onKept(encoded.length)
      return encoded
    } catch (error) {
      encodings.delete(coding)
      throw error
    }
  }
  kept.set(body, (coding, make) => {
    const encoded = encodings.get(coding) ?? encode(coding, make)
    encodings.set(coding, encoded)
    return encoded
  })
}

/** How a body is encoded that somebody keeps. */
export const encodeOf = (body: unknown): Encode | undefined => (body instanceof Buffer ? kept.get(body) : undefined)

/** In memory of their own: what a compressor gives lies in a block that is larger. */
export const toOwn = (bytes: Uint8Array): Buffer => Buffer.from(new Uint8Array(bytes).buffer)
