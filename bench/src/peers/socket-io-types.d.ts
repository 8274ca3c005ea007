/** What the peer uses of Socket.IO; see `modules.d.ts`. Its own types bring another copy of Node's. */
import type { Server as HttpServer } from 'node:http'

type Socket = {
  join(room: string): void | Promise<void>
  emit(event: string, payload?: unknown): boolean
  on(event: string, listener: (payload: unknown) => void): void
}

export declare class Server {
  constructor(server: HttpServer, options: { readonly transports: readonly string[]; readonly serveClient: boolean })
  on(event: 'connection', listener: (socket: Socket) => void): void
  to(room: string): Pick<Socket, 'emit'>
}
