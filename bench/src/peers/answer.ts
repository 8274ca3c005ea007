// What stands behind a gateway when only the gateway is measured: one small answer to everything.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const body = JSON.stringify([{ id: 1, name: 'row one', note: 'x'.repeat(200) }])
const headers = { 'content-type': 'application/json', 'content-length': body.length }
const server = createServer({ keepAliveTimeout: 72_000 }, (_request, response) => {
  response.writeHead(200, headers)
  response.end(body)
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })}\n`)
})
