import type { Socket } from 'node:net'

/**
 * Writes at the end of this turn of the event loop, with whatever else goes to the socket in it: a system call costs more
 * than a message, and under load many messages come in one turn.
 */
export function writeThisTurn(socket: Socket, bytes: Buffer): void {
  if (socket.writableCorked === 0) {
    socket.cork()
    setImmediate(writeNow, socket)
  }
  socket.write(bytes)
}

/** Writes what was gathered for a socket in this turn. */
export function writeNow(socket: Socket): void {
  if (socket.writableCorked > 0) socket.uncork()
}
