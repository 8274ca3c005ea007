import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

/** A mail as it came over the wire. */
export type ReceivedMail = {
  readonly from: string
  readonly to: readonly string[]
  /** Whether it came by TLS. */
  readonly secure: boolean
  readonly user: string | undefined
  /** Unfolded header lines by name in lower case; a name that is there twice has both values. */
  readonly headers: ReadonlyMap<string, readonly string[]>
  /** Headers and body, transfer encoding undone. */
  readonly text: string
}

type SmtpPeerOptions = {
  /** PEM; without one the peer knows no STARTTLS. */
  readonly certificate?: { readonly key: string; readonly cert: string }
  readonly login?: { readonly user: string; readonly pass: string }
  /** What it answers to RCPT instead of 250; undefined is yes. */
  readonly refuse?: (address: string) => number | undefined
  readonly port?: number
}

export type SmtpPeer = {
  readonly port: number
  readonly mails: readonly ReceivedMail[]
  /** Resolves with the next mail that is not in `mails` yet. */
  next(): Promise<ReceivedMail>
  close(): Promise<void>
}

/** A mail server on loopback that keeps what it gets. */
export async function startSmtpPeer({ certificate, login, refuse, port = 0 }: SmtpPeerOptions = {}): Promise<SmtpPeer> {
  const mails: ReceivedMail[] = []
  let arrived = Promise.withResolvers<ReceivedMail>()
  const server = new SMTPServer({
    ...certificate,
    disabledCommands: [...(certificate === undefined ? ['STARTTLS'] : []), ...(login === undefined ? ['AUTH'] : [])],
    closeTimeout: 1,
    onAuth: ({ username, password }, _session, done) => {
      const isRight = username === login?.user && password === login?.pass
      done(isRight ? null : Object.assign(new Error('Wrong'), { responseCode: 535 }), { user: username })
    },
    onRcptTo: ({ address }, _session, done) => {
      const responseCode = refuse?.(address)
      done(responseCode === undefined ? null : Object.assign(new Error('No such mailbox'), { responseCode }))
    },
    onData: (stream, { envelope, secure, user }, done) => {
      let source = ''
      stream.on('data', (chunk: Buffer) => (source += chunk.toString('latin1')))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = envelope
        const mail = {
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          secure,
          user: user as string | undefined,
          headers: parseHeaders(source),
          text: decode(source),
        }
        mails.push(mail)
        arrived.resolve(mail)
        arrived = Promise.withResolvers()
        done()
      })
    },
  })
  // A client that goes away in the middle of a sentence is part of the tests.
  server.on('error', () => undefined)
  server.listen(port, '127.0.0.1')
  await once(server.server, 'listening')
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    next: () => arrived.promise,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

function parseHeaders(source: string): Map<string, string[]> {
  const [head = ''] = source.split('\r\n\r\n')
  const headers = new Map<string, string[]>()
  for (const line of head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const at = line.indexOf(':')
    const name = line.slice(0, at).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), line.slice(at + 1).trim()])
  }
  return headers
}

/** Quoted-printable (RFC 2045 §6.7), of all parts at once. */
function decode(source: string): string {
  const bytes = source
    .replaceAll('=\r\n', '')
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
