import { classNames } from '@pando/admission/classes'
import { type AdmissionValues, toGateOptions } from '@pando/admission/config'
import { createGate, type Gate } from '@pando/admission/gate'
import { createLoadMeter, toShare } from '@pando/admission/pressure'
import { createKinds } from '@pando/admission/kind'
import type { MissReason } from '@pando/admission/visit'
import type { Clock } from '@pando/core/clock'
import type { Recall } from '@pando/http/auth/authenticator'
import { credentialsOf } from '@pando/http/credentials'
import { toNetwork } from '@pando/http/network'
import { endRequestStage } from '@pando/http/request-state'
import type { HttpService } from '@pando/http/service'
import type { Metrics } from '@pando/telemetry/metrics'
import type { FastifyInstance, FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import { orAnswerInstead } from './answer-instead.ts'
import { countAdmission, type ServiceCounts } from './counts.ts'
import { type Arrivals, createArrivals, HeldVisit } from './held-visit.ts'
import { kindOf } from './kind-of.ts'
import { builtInRules, type Classify, createClassify } from './rules.ts'
import { createTurnAway, type TurnAway } from './turn-away.ts'

export type AdmissionDeps = {
  readonly values: AdmissionValues
  readonly clock: Clock
  readonly metrics: Metrics
  readonly recall: Recall
  /** In [0, 1); spreads those who come back. */
  readonly random: () => number
}

/** The header by which a caller with a key of the installation says how important a request is. */
export const priorityHeader = 'x-pando-priority'
/** Who is believed when they say so. */
const trustedRole = 'service_role'

/** How often those who wait are looked through, and how often the process is. */
const [lookMs, pressureMs] = [5, 250]

/** Overload control of a node: a gate for each service. */
export type Admission = {
  /** Puts a gate before the routes of `scope`, which are those of a service below a prefix. */
  guard(scope: FastifyInstance, service: Guarded): void
  /** On the root instance, before hooks that work on answers: places are given back, and the process is watched. */
  install(app: FastifyInstance): void
}

type Guarded = Pick<HttpService, 'name' | 'prefix' | 'handleShed'>

type Door = {
  readonly gate: Gate
  readonly classify: Classify
  readonly visitOf: (request: FastifyRequest, rank: number) => HeldVisit
  readonly counts: ServiceCounts
  readonly turnAway: TurnAway
  readonly arrivals: Arrivals
}

const tooMuch = {
  status: 503,
  code: 'gateway.overloaded',
  message: 'There is more to do than can be done now. Try again in a moment.',
} as const

/**
 * Nothing is known of a request at the door but its first line and headers: no token is verified and no body read to
 * refuse it. Only where there is no place at once is it looked up whose turn it is, among tokens verified before.
 */
export function createAdmission(deps: AdmissionDeps): Admission {
  const { values, clock, metrics } = deps
  const options = toGateOptions(values)
  const counts = countAdmission(metrics)
  const gates: Gate[] = []
  const arrivals = createArrivals()
  const limits = { loopLagMaxMs: values.loopLagMax, memoryShareMax: values.memoryShareMax }

  const createDoor = ({ name, prefix, handleShed }: Guarded): Door => {
    const lookAgain = (): void => void setTimeout(() => gate.look() && lookAgain(), lookMs).unref()
    const gate = createGate({ options, clock, onWaiting: lookAgain })
    const kinds = createKinds(values.kindsMax)
    gates.push(gate)
    return {
      gate,
      classify: createClassify(prefix, [...values.rules, ...builtInRules]),
      visitOf: ({ raw }, rank) => new HeldVisit(gate, rank, kinds.of(kindOf(raw.method!, raw.url!, prefix.length))),
      counts: counts.of(name, gate),
      turnAway: orAnswerInstead(createTurnAway(name, tooMuch), handleShed),
      arrivals,
    }
  }

  return {
    guard(scope, service) {
      const door = createDoor(service)
      scope.addHook('onRequest', (request, reply, done) => admit(deps, door, { request, reply, done }))
    },
    install(app) {
      app.addHook('onSend', giveBackWhenAnswered)
      app.addHook('onReady', async () => {
        const meter = createLoadMeter()
        const timer = setInterval(() => {
          const share = toShare(meter.read(), limits)
          for (const gate of gates) gate.press(share)
          counts.look(share)
          arrivals.look()
        }, pressureMs).unref()
        app.server.once('close', () => {
          clearInterval(timer)
          meter.stop()
        })
      })
    },
  }
}

/**
 * The place is free when the answer is ready, not when a slow client has it all. Refusals of the service say nothing
 * about how fast it is.
 */
const giveBackWhenAnswered: onSendHookHandler = (request, reply, payload, done) => {
  const { held } = request.state
  if (held instanceof HeldVisit) {
    const { statusCode } = reply
    held.end(statusCode < 400 ? 'answered' : isUnable(statusCode) ? 'failed' : 'other')
  }
  done(null, payload)
}

const isUnable = (status: number): boolean => status === 502 || status === 503 || status === 504

type Arrival = { readonly request: FastifyRequest; readonly reply: FastifyReply; readonly done: () => void }

function admit(deps: AdmissionDeps, door: Door, arrival: Arrival): void {
  const { request, done } = arrival
  const rank = rankOfRequest(deps, door, request)
  if (rank === undefined) return done()
  const visit = door.visitOf(request, rank)
  if (door.gate.enter(visit)) {
    door.counts.admitted[rank]!.add()
    return begin(door, visit, arrival)
  }
  letWait(deps, door, { ...arrival, visit })
}

function rankOfRequest({ recall }: AdmissionDeps, { classify }: Door, { raw }: FastifyRequest): number | undefined {
  const { headers } = raw
  const asked = {
    method: raw.method!,
    url: raw.url!,
    bodyBytes: headers['content-length'] === undefined ? 0 : Number(headers['content-length']),
    accept: headers.accept,
    role: () => recall(credentialsOf(raw))?.role,
  }
  const rank = classify(asked)
  const said = headers[priorityHeader]
  if (said === undefined || rank === undefined) return rank
  const claimed = (classNames as readonly unknown[]).indexOf(said)
  return claimed !== -1 && asked.role() === trustedRole ? claimed : rank
}

function begin({ arrivals }: Door, visit: HeldVisit, { request, done }: Arrival): void {
  const { raw } = request
  request.state.held = visit
  if (hasBody(raw.headers)) arrivals.add(visit, raw)
  done()
}

const hasBody = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'

function letWait(deps: AdmissionDeps, door: Door, arrival: Arrival & { readonly visit: HeldVisit }): void {
  const { request, reply, visit } = arrival
  const { rank } = visit
  const settle = (missed: MissReason | undefined): void => {
    if (missed === undefined) {
      door.counts.waited[rank]!.add()
      endRequestStage(request, 'queue')
      return begin(door, visit, arrival)
    }
    door.counts.refused[missed][rank]!.add()
    door.turnAway(request, reply, { 'retry-after': toRetryAfter(deps) })
  }
  const { socket } = request.raw
  const deadlineMs = request.state.deadline.atMs
  visit.wait = { caller: callerOf(deps.recall, request), deadlineMs, isGone: () => socket.destroyed, settle }
  door.gate.wait(visit)
}

function toRetryAfter({ random, values }: AdmissionDeps): string {
  return String(1 + Math.floor((random() * values.retryAfterMax) / 1000))
}

/** Whose turn it is: a person; else a key of the installation, from where it is used; else a network. */
function callerOf(recall: Recall, request: FastifyRequest): string {
  const caller = recall(credentialsOf(request.raw))
  if (typeof caller?.claims.sub === 'string') return `user ${caller.claims.sub}`
  const network = toNetwork(request.ip)
  return caller?.role === trustedRole ? `key ${network}` : network
}
