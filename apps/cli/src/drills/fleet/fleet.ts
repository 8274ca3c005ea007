import { rm } from 'node:fs/promises'

import type { TestRedis } from '@pando/bus/testing/start-redis'
import { startRedis } from '@pando/bus/testing/start-redis'
import type { ProjectKeys } from '@pando/http/auth/api-keys'
import { generateKeys } from '@pando/http/auth/api-keys'
import { freePort } from '@pando/postgres/testing/free-port'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import type { BalancerName } from '@pando/server/testing/balancer'

import type { DrillDatabase } from './database.ts'
import { startDrillDatabase } from './database.ts'
import type { Door } from './door.ts'
import { startDoor } from './door.ts'
import { readMemoryBytes } from './metrics.ts'
import type { NodeProcess } from './node-process.ts'
import { createNodeProcess } from './node-process.ts'

/** What a drill needs besides nodes, a gateway and a database. */
export type FleetNeeds = {
  readonly replica?: true
  readonly redis?: true
  /** So many processes of the gateway, which can be replaced. */
  readonly gatewayWorkers?: number
}

/** A deployment on this machine alone: nodes behind a gateway, all of them processes of their own. */
export type Fleet = Omit<Door, 'stop'> & {
  readonly keys: ProjectKeys
  readonly nodes: readonly NodeProcess[]
  readonly database: DrillDatabase
  readonly redis: TestRedis | undefined
  /** Of the largest node. */
  memoryBytes(): Promise<number>
  /** Ends everything at once; nothing of it stays. */
  remove(): Promise<void>
}

export type FleetPlan = {
  readonly nodes: number
  readonly needs: FleetNeeds
  /** In the place of the gateway. */
  readonly balancer: BalancerName | undefined
  /** Where programs are searched for. */
  readonly searchPath: string
  readonly nowMs: number
}

const services = ['rest', 'auth', 'realtime'] as const

/** Starts all of it; what has been started already is ended again when the rest cannot be. */
export async function startFleet(plan: FleetPlan): Promise<Fleet> {
  const undo: (() => Promise<unknown>)[] = []
  const remove = async (): Promise<void> => {
    // Last started, first stopped.
    for (const stop of undo.splice(0).reverse()) await stop()
  }
  try {
    return { ...(await start(plan, undo)), remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function start(plan: FleetPlan, undo: (() => Promise<unknown>)[]): Promise<Omit<Fleet, 'remove'>> {
  const { needs, nowMs } = plan
  const cwd = await makeTemporaryFolder('pando-drill-')
  undo.push(() => rm(cwd, { recursive: true, force: true }))
  const redis = needs.redis === true ? await startRedis() : undefined
  if (redis !== undefined) undo.push(redis.stop)
  const database = await startDrillDatabase({ hasReplica: needs.replica === true })
  undo.push(database.remove)
  const keys = await generateKeys(nowMs)
  const common = { ...toEnvironment(plan, keys), ...(redis !== undefined && { PANDO_REDIS_URL: redis.url }) }
  const nodes: NodeProcess[] = []
  for (let number = 1; number <= plan.nodes; number += 1) {
    const environment = { ...common, ...toDatabaseEnvironment(database) }
    nodes.push(createNodeProcess({ name: `node ${number}`, services, port: await freePort(), cwd, environment }))
  }
  undo.push(() => Promise.all(nodes.map((node) => node.kill())))
  await Promise.all(nodes.map((node) => node.start()))
  const { stop, ...door } = await startDoor(
    { balancer: plan.balancer, workers: needs.gatewayWorkers },
    { nodes, services, cwd, environment: common },
  )
  undo.push(stop)
  await door.untilUp()
  const memoryBytes = async (): Promise<number> =>
    Math.max(...(await Promise.all(nodes.map((node) => readMemoryBytes(node.url)))))
  return { ...door, keys, nodes, database, redis, memoryBytes }
}

/** Of every process. Nobody outside this machine reaches it, and nothing of it outlives the drill. */
function toEnvironment({ searchPath }: FleetPlan, keys: ProjectKeys): Record<string, string> {
  return {
    PATH: searchPath,
    PANDO_JWT_SECRET: keys.jwtSecret,
    PANDO_JWT_PUBLISHABLE_KEY: keys.publishableKey,
    PANDO_JWT_SECRET_KEY: keys.secretKey,
    PANDO_HTTP_TRUST_PROXY: '127.0.0.1',
    PANDO_GATEWAY_METRICS_PUBLIC: 'true',
    PANDO_LOG_REQUEST_SHARE: '0',
    // All users of a drill come from one address.
    PANDO_AUTH_RATE_LIMIT_LOOPBACK: 'false',
    // The users are invented: their passwords need no protection.
    PANDO_AUTH_PASSWORD_MEMORY: '8mb',
    PANDO_AUTH_PASSWORD_PASSES: '1',
    // Ten follow, and need not come back one by one.
    PANDO_SERVER_DRAIN_SPREAD: '1s',
  }
}

function toDatabaseEnvironment({ primary, replica }: DrillDatabase): Record<string, string> {
  if (replica === undefined) return { DATABASE_URL: primary.url }
  return {
    DATABASE_URL: primary.url,
    PANDO_DATABASE_HOSTS: replica.name,
    PANDO_DATABASE_REPLICA_HOSTS: `${replica.name},${primary.name}`,
  }
}
