import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A node of its own that answers everything after 20 ms; run by tests that kill it. */
const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => {
    if (request.url === '/health/ready') response.end()
    else setTimeout(() => response.end(String(process.pid)), 20)
  })
})
const port = Number(process.argv[2] ?? 0)
server.listen(port, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
