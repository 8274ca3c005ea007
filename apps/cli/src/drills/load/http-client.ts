import { Agent as PlainAgent, request as requestPlain } from 'node:http'
import { Agent as TlsAgent, request as requestTls } from 'node:https'

export type Ask = {
  readonly method?: 'GET' | 'POST'
  /** From the root of the address. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
}

/** An answer, or why there is none: then the status is 0. */
export type Answer = {
  readonly status: number
  readonly retryAfter: boolean
  readonly text: string
}

export type HttpClient = { ask(ask: Ask): Promise<Answer>; close(): void }

/** As many as a process may usually have open, and some for itself; who finds none free waits, which counts. */
const connectionsMax = 900

/** So few rest that none does for long: a server that ends closes connections that nobody has used for a while. */
const restingMax = 64

/** Who has not been answered after this has given up. */
const patienceMs = 10_000
export const noAnswer = `no answer after ${patienceMs} ms`

/** Asks one address over connections that stay open. Never rejects. */
export function createHttpClient(address: string): HttpClient {
  const isTls = new URL(address).protocol === 'https:'
  const options = {
    keepAlive: true,
    maxSockets: connectionsMax,
    maxFreeSockets: restingMax,
    scheduling: 'fifo',
  } as const
  const agent = isTls ? new TlsAgent(options) : new PlainAgent(options)
  const request = isTls ? requestTls : requestPlain
  const ask = ({ method = 'GET', path, headers, body }: Ask): Promise<Answer> =>
    new Promise((resolve) => {
      const typed = body === undefined ? headers : { ...headers, 'content-type': 'application/json' }
      const sent = request(new URL(path, address), { method, agent, headers: { ...typed } })
      const overdue = setTimeout(() => sent.destroy(new Error(noAnswer)), patienceMs)
      const end = (answer: Answer): void => {
        clearTimeout(overdue)
        resolve(answer)
      }
      const fail = (error: Error): void => end({ status: 0, retryAfter: false, text: error.message })
      sent.on('error', fail)
      sent.on('response', (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        answer.on('error', fail)
        answer.on('end', () =>
          end({ status: answer.statusCode!, retryAfter: answer.headers['retry-after'] !== undefined, text }),
        )
      })
      sent.end(body === undefined ? undefined : JSON.stringify(body))
    })
  return { ask, close: () => agent.destroy() }
}
