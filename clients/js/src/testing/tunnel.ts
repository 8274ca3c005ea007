import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** The way of a phone to its server. */
export type Tunnel = {
  readonly url: string
  /** Where new connections go from now on. */
  leadTo(url: string): void
  /** Breaks the connections that are open. */
  cut(): void
  /** Nothing passes any more on the connections that are open, and nobody is told. */
  freeze(): void
  close(): void
}

export async function digTunnel(url: string): Promise<Tunnel> {
  let port = Number(new URL(url).port)
  const open = new Set<Socket>()
  const entrance = createServer((phone) => {
    const server = connect(port, '127.0.0.1')
    phone.pipe(server).pipe(phone)
    for (const end of [phone, server]) {
      open.add(end)
      end.on('error', () => undefined)
      end.on('close', () => {
        open.delete(end)
        phone.destroy()
        server.destroy()
      })
    }
  })
  entrance.listen(0, '127.0.0.1')
  await once(entrance, 'listening')
  const cut = (): void => {
    for (const end of open) end.destroy()
  }
  return {
    url: `http://127.0.0.1:${(entrance.address() as AddressInfo).port}`,
    leadTo: (url) => {
      port = Number(new URL(url).port)
    },
    cut,
    freeze: () => {
      for (const end of open) end.unpipe().pause()
    },
    close: () => {
      entrance.close()
      cut()
    },
  }
}
