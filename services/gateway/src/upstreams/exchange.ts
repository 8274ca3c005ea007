import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'

/** What an upstream answered. A body that is known to be small is there as a whole, any other one streams. */
export type Answer = {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer | Readable | undefined
}

/** A stream costs a request more than all else here does, and most answers fit in a few packets. */
const wholeBytesMax = 65_536

/**
 * One request to one address, as undici reports it. `answer` resolves when the headers of an answer that streams have
 * come, or the whole of a small one. `onEnd` is called once, when the last byte has been read or nothing will come.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly #answer = Promise.withResolvers<Answer>()
  readonly answer = this.#answer.promise
  /** Whether the other side may have got any of the request. */
  isSent = false
  readonly #isHead: boolean
  readonly #onEnd: () => void
  #controller: Dispatcher.DispatchController | undefined
  #reason: Error | undefined
  #status = 0
  #headers: IncomingHttpHeaders = {}
  #whole: Buffer[] | undefined
  #body: Body | undefined

  constructor({ isHead, onEnd }: { isHead: boolean; onEnd: () => void }) {
    this.#isHead = isHead
    this.#onEnd = onEnd
  }

  /** Gives up: `answer` rejects with the reason, or a body that streams breaks off. */
  abort(reason: Error): void {
    this.#reason = reason
    this.#controller?.abort(reason)
    this.#answer.reject(reason)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // It was given up while it waited for a connection.
    if (this.#reason !== undefined) controller.abort(this.#reason)
    else this.isSent = true
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    // 100 Continue, 103 Early Hints: the answer is still to come.
    if (status < 200) return
    this.#status = status
    this.#headers = headers
    const isEmpty = this.#isHead || status === 204 || status === 304
    if (isEmpty || Number(headers['content-length'] ?? Number.NaN) <= wholeBytesMax) {
      this.#whole = []
      return
    }
    this.#body = new Body(controller)
    this.#answer.resolve({ status, headers, body: this.#body })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#whole !== undefined) this.#whole.push(chunk)
    else if (!this.#body!.push(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    this.#onEnd()
    if (this.#whole === undefined) return void this.#body!.push(null)
    const [first, ...rest] = this.#whole
    const body = rest.length === 0 ? first : Buffer.concat(this.#whole)
    this.#answer.resolve({ status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#onEnd()
    this.#answer.reject(error)
    this.#body?.destroy(error)
  }
}

/** A body that streams: read as fast as the client takes it, and the request is aborted when nobody wants the rest. */
class Body extends Readable {
  readonly #controller: Dispatcher.DispatchController

  constructor(controller: Dispatcher.DispatchController) {
    super()
    this.#controller = controller
  }

  override _read(): void {
    this.#controller.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.readableEnded) this.#controller.abort(error ?? new Error('nobody reads the rest of the answer'))
    callback(error)
  }
}
