import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A way to the server that can go dead without anybody being told, as a network does. */
export type Relay = {
  /** The same database through the relay. */
  url(direct: string): string
  /** Nothing passes any more on the connections that are open now; new ones work. */
  freeze(): void
  stop(): void
}

export async function startRelay(port: number): Promise<Relay> {
  const open = new Set<Socket>()
  const relay = createServer({ pauseOnConnect: true }, (socket) => {
    const server = connect(port, '127.0.0.1')
    socket.pipe(server).pipe(socket)
    for (const end of [socket, server]) {
      open.add(end)
      end.on('error', () => undefined)
    }
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  return {
    url: (direct) => {
      const url = new URL(direct)
      url.port = String((relay.address() as AddressInfo).port)
      return url.href
    },
    freeze: () => {
      for (const socket of open) socket.unpipe().pause()
    },
    stop: () => {
      relay.close()
      for (const socket of open) socket.destroy()
    },
  }
}
