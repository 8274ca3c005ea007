import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export type LoopbackRequest = {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** An answer of somebody else's API: a status and JSON, or a text as it is; undefined never comes. */
export type LoopbackAnswer = { readonly status?: number; readonly json?: unknown; readonly text?: string } | undefined

export type Loopback = { readonly url: string; stop(): Promise<void> }

/** A small server that stands for somebody else's, over real HTTP. */
export async function startLoopback(answer: (request: LoopbackRequest) => LoopbackAnswer): Promise<Loopback> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = 'GET', url = '/', headers } = request
      const body = Buffer.concat(chunks).toString()
      const given = answer({ method, url: new URL(url, 'http://127.0.0.1'), headers, body })
      if (given === undefined) return
      response.writeHead(given.status ?? 200, { 'content-type': 'application/json' })
      response.end(given.text ?? JSON.stringify(given.json))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
