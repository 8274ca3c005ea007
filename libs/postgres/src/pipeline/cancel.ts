import { Connection as WireConnection } from 'pg'

/** Where a connection leads and the key with which Postgres lets its statements be cancelled. */
export type CancelKey = {
  readonly host: string
  readonly port: number
  readonly ssl: unknown
  readonly processId: number
  readonly secretKey: number
}

/** The parts of pg's wire connection that cancelling needs; it does TLS the way the connection itself was made. */
type Wire = {
  connect(port: number | string, host?: string): void
  requestSsl(): void
  cancel(processId: number, secretKey: number): void
  on(event: 'connect' | 'sslconnect' | 'end', listener: () => void): void
  on(event: 'error', listener: (error: Error) => void): void
  readonly stream: { destroy(): void }
}

/**
 * Sends a CancelRequest (protocol, "Canceling Requests in Progress"). Resolves when Postgres has closed the connection:
 * then the signal has been delivered and cannot hit a statement that is sent later. Rejects when that cannot be known.
 */
export function sendCancel(key: CancelKey, timeoutMs: number): Promise<void> {
  const wire = new WireConnection({ ssl: key.ssl } as never) as unknown as Wire
  return new Promise((resolve, reject) => {
    let sent = false
    const timer = setTimeout(() => finish(new Error(`No answer to a cancel request within ${timeoutMs} ms`)), timeoutMs)
    const finish = (error?: Error) => {
      clearTimeout(timer)
      wire.stream.destroy()
      if (error === undefined) resolve()
      else reject(error)
    }
    const send = () => {
      sent = true
      wire.cancel(key.processId, key.secretKey)
    }
    wire.on('connect', () => (key.ssl ? wire.requestSsl() : send()))
    wire.on('sslconnect', send)
    wire.on('end', () => finish(sent ? undefined : new Error('Postgres closed a cancel connection before the request')))
    wire.on('error', finish)
    if (key.host.startsWith('/')) wire.connect(`${key.host}/.s.PGSQL.${key.port}`)
    else wire.connect(key.port, key.host)
  })
}
