import type { Writable } from 'node:stream'

declare module 'ws' {
  /** Reads frames (RFC 6455); emits `message`, `ping`, `pong`, `conclude` and `error`. The typings of ws leave it out. */
  export class Receiver extends Writable {
    constructor(options: { isServer: boolean; maxPayload: number; maxFragments: number; maxBufferedChunks: number })
  }
}
