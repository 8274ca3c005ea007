import { remainingMs } from '@pando/core/deadline'
import type { FastifyRequest } from 'fastify'
import type { IncomingMessage } from 'node:http'
import { errors, isUnreachable } from '../errors.ts'
import { type Forwarding, forwardedHeaders } from '../forwarded-headers.ts'
import type { Outcome, Upstream } from './create-upstream.ts'
import { type Answer, Exchange } from './exchange.ts'
import type { Observe } from './observations.ts'
import type { Address } from './open-address.ts'

type JourneyDeps = Forwarding & { readonly upstream: Upstream; readonly observe: Observe }

/** A request on its way to an upstream, to one address or, if that fails, to others. */
export type Journey = {
  /** Resolves to the answer; rejects when it fails for good, or with the reason of `abort`. */
  travel(): Promise<Answer>
  abort(reason: Error): void
}

/** A request is sent again at most so often. */
const retriesMax = 2

export function createJourney(deps: JourneyDeps, request: FastifyRequest): Journey {
  const { upstream, observe } = deps
  const { raw } = request
  let exchange: Exchange | undefined
  let isOver = false

  function send(address: Address): Exchange {
    address.running.requests += 1
    const sent = new Exchange({
      isHead: raw.method === 'HEAD',
      onEnd: () => (address.running.requests -= 1),
    })
    const leftMs = remainingMs(request.state.deadline)
    const hasBody = raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > 0
    address.pool.dispatch(
      {
        method: raw.method as 'GET',
        path: raw.url!,
        headers: forwardedHeaders(deps, request, leftMs),
        body: hasBody ? raw : null,
      },
      sent,
    )
    return sent
  }

  /** Whether nothing of it can have been done yet, or doing it again changes nothing. */
  function mayRepeat(): boolean {
    if (isOver || raw.errored) return false
    return !exchange!.isSent || isSafe(raw)
  }

  async function travel(): Promise<Answer> {
    upstream.retries.earn()
    const tried: Address[] = []
    let failure: unknown
    for (;;) {
      // One that broke may be asked again when there is no other; one that cannot be connected to is not chosen.
      const address = upstream.choose('requests', tried) ?? upstream.choose('requests', [])
      if (address === undefined) throw failure ?? errors.upstreamUnreachable(upstream.name)
      if (address.running.requests >= upstream.requestsMax)
        throw errors.upstreamBusy(upstream.name, upstream.requestsMax)
      exchange = send(address)
      try {
        const answer = await exchange.answer
        upstream.report(address, isFault(answer) ? 'fault' : 'answered')
        return answer
      } catch (error) {
        failure = error
        const outcome = isOver || raw.errored ? undefined : outcomeOf(error)
        if (outcome !== undefined) upstream.report(address, outcome)
        if (!mayRepeat() || tried.length >= retriesMax || !upstream.retries.spend()) throw error
        observe({ kind: 'request.repeated', service: upstream.name })
        tried.push(address)
      }
    }
  }

  return {
    travel,
    abort(reason) {
      isOver = true
      exchange?.abort(reason)
    },
  }
}

/** Methods that read (RFC 9110 §9.2.1). A write that was done and is done again may answer something else. */
const isSafe = ({ method }: IncomingMessage): boolean => method === 'GET' || method === 'HEAD' || method === 'OPTIONS'

/** A node that refuses early, and says when to come again, is busy and not broken; 501 is an answer. */
function isFault({ status, headers }: Answer): boolean {
  if (status === 503) return headers['retry-after'] === undefined
  return status >= 500 && status !== 501
}

/** What an error says of the address; undefined when it says something of the request. */
function outcomeOf(error: unknown): Exclude<Outcome, 'answered' | 'fault'> | undefined {
  if (isUnreachable(error)) return 'unreachable'
  const { code = '' } = error as NodeJS.ErrnoException
  return code.startsWith('UND_ERR_INVALID') || code.startsWith('UND_ERR_REQ_') || code === 'UND_ERR_NOT_SUPPORTED'
    ? undefined
    : 'broken'
}
