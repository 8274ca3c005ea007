import type { Exchange, Statement } from '../exchange.ts'
import { keepsSessions, type SessionRules, type Settings } from './envelope.ts'
import { createLane, type Lane, type LaneDeps } from './lane.ts'
import type { LaneKind } from './observation.ts'
import { toSessionSettings } from './session-settings.ts'

export type RouteDeps = LaneDeps & SessionRules

/** All lanes, opened when first used and forgotten when unused. */
export type Lanes = {
  /** The lane on which statements of this role go now. */
  route(role: string, access: Exchange['access'], statements: readonly Statement[]): Lane
  /** The lane whose connections can be borrowed as a whole. */
  borrowable(role: string): Lane
  readonly all: ReadonlySet<Lane>
  forget(lane: Lane): void
}

/**
 * Reads that have proved fast share connections; all other reads have one to themselves. Writes have connections of
 * their own, which those that have proved fast share when all are busy. Where sessions are not kept every
 * connection serves every role.
 */
export function createLanes(deps: RouteDeps): Lanes {
  const all = new Set<Lane>()
  const byRole = new Map<string, Map<LaneKind, Lane>>()

  const laneOf = (role: string, kind: LaneKind): Lane => {
    let lanes = byRole.get(role)
    if (lanes === undefined) byRole.set(role, (lanes = new Map()))
    let lane = lanes.get(kind)
    if (lane === undefined) {
      lane = createLane(deps, {
        role,
        kind,
        ...toShape(deps, kind),
        sessionSettings: () => toSettings(deps, role, kind),
      })
      lanes.set(kind, lane)
      all.add(lane)
    }
    return lane
  }
  const routeRead = (role: string, statements: readonly Statement[]): Lane => {
    const alone = laneOf(role, 'alone')
    if (!deps.ledger.isFast(statements)) return alone
    const shared = laneOf(role, 'shared')
    // A connection that stands ready beats one that must be opened first.
    return !shared.hasRoom() && shared.held < deps.limits.sharedConnectionsMax && alone.hasRoom() ? alone : shared
  }

  return {
    route(role, access, statements) {
      if (!keepsSessions(deps)) return laneOf('', 'any')
      return access === 'write' ? laneOf(role, 'write') : routeRead(role, statements)
    },
    borrowable: (role) => (keepsSessions(deps) ? laneOf(role, 'write') : laneOf('', 'any')),
    all,
    forget(lane) {
      all.delete(lane)
      const { role, kind } = lane.stats()
      const lanes = byRole.get(role)
      lanes?.delete(kind)
      if (lanes?.size === 0) byRole.delete(role)
    },
  }
}

function toShape({ limits }: RouteDeps, kind: LaneKind) {
  const single = { depthMax: 1, depthGrow: 1 }
  switch (kind) {
    case 'shared':
      return {
        connectionsMax: limits.sharedConnectionsMax,
        depthMax: limits.sharedDepthMax,
        depthGrow: limits.sharedDepthGrow,
      }
    case 'alone':
      return { connectionsMax: limits.aloneConnectionsMax, ...single }
    case 'write':
      return { connectionsMax: limits.writeConnectionsMax, depthMax: limits.writeDepthMax, depthGrow: 2 }
    case 'any':
      return { connectionsMax: limits.connectionsMax, ...single }
  }
}

function toSettings(deps: RouteDeps, role: string, kind: LaneKind): Settings {
  return kind === 'any' ? [] : toSessionSettings(deps.limits, { role, kind }, deps.roleSettings(role))
}
