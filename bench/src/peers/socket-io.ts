// Socket.IO: whoever says something is heard by all in the room.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'

const http = createServer()
const io = new Server(http, { transports: ['websocket'], serveClient: false })
io.on('connection', (socket) => {
  void socket.join('room')
  socket.emit('welcome')
  socket.on('say', (payload: unknown) => io.to('room').emit('heard', payload))
})
await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
process.stdout.write(`${JSON.stringify({ port: (http.address() as AddressInfo).port })}\n`)
process.once('SIGTERM', () => process.exit(0))
