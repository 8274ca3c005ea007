import type { Authenticate } from '@pando/core/authenticate'
import type { EndedSessionsWatch } from '@pando/auth'
import type { Bus } from '@pando/bus/bus'
import type { Clock } from '@pando/core/clock'
import type { Recall } from '@pando/http/auth/authenticator'
import type { EndedSessions } from '@pando/http/auth/ended-sessions'
import type { KeyRing } from '@pando/http/auth/key-ring'
import type { TokenRules } from '@pando/http/auth/token-rules'
import type { HttpService } from '@pando/http/service'
import type { Logger } from '@pando/telemetry/logger'
import type { Metrics } from '@pando/telemetry/metrics'
import type { ServerConfig } from './config.ts'

/** What the services of a node have in common. */
export type Shared = {
  readonly config: ServerConfig
  readonly authenticate: Authenticate
  /** The same, where a database has its own say about tokens. */
  readonly authenticateBy: (rules: TokenRules) => Authenticate
  /** The same, but those whose session has ended are let in: for the service that keeps the sessions and looks itself. */
  readonly authenticateAnySession: Authenticate & { readonly recall: Recall }
  /** For what outlives a request, such as a socket, and must not outlive the session. */
  readonly onSessionEnded: EndedSessions['onEnded']
  /** What the nodes of the deployment tell each other; undefined where there is never more than one. */
  readonly bus: Bus | undefined
  /** The installation's keys as they are now. */
  readonly keys: KeyRing
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  /** The API's address as apps reach it, without a slash at the end; known once the listener is open. */
  readonly apiUrl: () => string
}

/** By the name of the service, how it is made from what the node shares. */
export type ServiceFactories = Readonly<Record<string, (shared: Shared) => HttpService>>

/** What a node is made of: services; where there is a database, what tells it of ended sessions and of other nodes. */
export type Parts = {
  readonly services: ServiceFactories
  readonly endedSessions?: (shared: Pick<Shared, 'config' | 'clock' | 'logger' | 'metrics'>) => EndedSessionsPart
  readonly bus?: (shared: Pick<Shared, 'config' | 'clock' | 'logger' | 'metrics'>) => Bus | undefined
}

export type EndedSessionsPart = Pick<EndedSessionsWatch, 'has' | 'loweredAt' | 'onEnded' | 'start' | 'stop'>

/** The service that every node has; a node that is to have no other asks for it by name. */
const gateway = 'gateway'

/** Whether a node with these services only passes requests on to others. */
export const isGatewayOnly = (asked: readonly string[]): boolean =>
  asked.length > 0 && asked.every((name) => name === gateway)

/** The names that a node runs: those asked for, or every one. Throws with the names there are when one is unknown. */
export function chooseRoles(asked: readonly string[], available: readonly string[]): readonly string[] {
  if (asked.includes('all')) return available
  const known = [gateway, ...available]
  const unknown = asked.filter((name) => !known.includes(name))
  if (unknown.length > 0)
    throw new Error(`This installation has no service ${unknown.join(', ')}. There are: ${known.join(', ')}, all.`)
  return available.filter((name) => asked.includes(name))
}
