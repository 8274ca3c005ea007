import { connect, type Socket } from 'node:net'

/** An answer as it came over the socket; `closed` when the other side hung up without one. */
export type RawAnswer = { readonly status: number; readonly head: string; readonly body: string } | 'closed'

/** Speaks HTTP/1.1 in bytes that no other client would send. One request at a time. */
export type RawClient = {
  /** Sends a request whose envelope is whole, and waits for its answer. Connects again after a close. */
  ask(bytes: Buffer, options: { readonly isHead: boolean }): Promise<RawAnswer>
  close(): void
}

const answerMaxMs = 20_000

export function createRawClient(port: number): RawClient {
  let socket: Socket | undefined
  return {
    async ask(bytes, options) {
      if (socket === undefined || socket.destroyed || !socket.writable) socket = await open(port)
      const answer = await readAnswer(socket, bytes, options)
      if (answer === 'closed' || /\r\nconnection: close/i.test(answer.head)) socket.destroy()
      return answer
    },
    close: () => socket?.destroy(),
  }
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => {
      socket.removeAllListeners('error')
      socket.on('error', () => socket.destroy())
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

function readAnswer(socket: Socket, bytes: Buffer, { isHead }: { isHead: boolean }): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let received: Buffer = Buffer.alloc(0)
    const timer = setTimeout(
      () => end(() => reject(new Error(`No answer to ${bytes.toString('latin1').slice(0, 400)}`))),
      answerMaxMs,
    )
    const end = (settle: () => void): void => {
      clearTimeout(timer)
      socket.off('data', onData)
      socket.off('close', onClose)
      settle()
    }
    const onData = (chunk: Buffer): void => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      const answer = parseAnswer(received, isHead)
      if (answer !== undefined) end(() => resolve(answer))
    }
    const onClose = (): void => end(() => resolve('closed'))
    socket.on('data', onData)
    socket.on('close', onClose)
    socket.write(bytes)
  })
}

/** Undefined while bytes are missing. An interim answer (1xx) is skipped. */
function parseAnswer(bytes: Buffer, isHead: boolean): RawAnswer | undefined {
  const at = bytes.indexOf('\r\n\r\n')
  if (at === -1) return undefined
  const head = bytes.toString('latin1', 0, at)
  const status = Number(head.slice(9, 12))
  const rest = bytes.subarray(at + 4)
  if (status < 200) return parseAnswer(rest, isHead)
  if (isHead || status === 204 || status === 304) return { status, head, body: '' }
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (length !== undefined)
    return rest.length < Number(length) ? undefined : { status, head, body: rest.toString('utf8', 0, Number(length)) }
  return rest.subarray(-5).equals(Buffer.from('0\r\n\r\n')) ? { status, head, body: rest.toString('utf8') } : undefined
}

/**
 * Sends pieces one after another on a socket of their own, says that nothing more comes, and gives all that came back.
 */
export async function sendRaw(port: number, pieces: readonly Buffer[]): Promise<string> {
  const socket = await open(port)
  const received: Buffer[] = []
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.on('data', (chunk: Buffer) => received.push(chunk))
  socket.setTimeout(answerMaxMs, () => socket.destroy())
  for (const piece of pieces) {
    if (!socket.writable) break
    socket.write(piece)
    await new Promise((resolve) => setImmediate(resolve))
  }
  socket.end()
  await closed
  return Buffer.concat(received).toString('latin1')
}
