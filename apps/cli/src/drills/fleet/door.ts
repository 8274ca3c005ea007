import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { freePort } from '@pando/postgres/testing/free-port'
import type { BalancerName } from '@pando/server/testing/balancer'
import { isInstalled, startBalancer } from '@pando/server/testing/balancer'

import { readAddressesUp } from './metrics.ts'
import type { NodePlan, NodeProcess } from './node-process.ts'
import { createNodeProcess } from './node-process.ts'

/** What is in front of the nodes: our gateway, or a load balancer of somebody else in its place. */
export type Door = {
  /** As apps see it. */
  readonly url: string
  /** Undefined where something else is in its place. */
  readonly gateway: NodeProcess | undefined
  /** Returns when requests are led to every node. */
  untilUp(): Promise<void>
  /** At once. */
  stop(): Promise<void>
}

type DoorPlan = {
  /** In the place of the gateway. */
  readonly balancer: BalancerName | undefined
  /** Of the gateway. */
  readonly workers: number | undefined
}

/** What is behind it. */
type House = Pick<NodePlan, 'services' | 'cwd' | 'environment'> & { readonly nodes: readonly NodeProcess[] }

export const startDoor = ({ balancer, workers }: DoorPlan, house: House): Promise<Door> =>
  balancer === undefined ? startGateway(workers, house) : openBalancer(balancer, house)

async function startGateway(workers: number | undefined, { nodes, services, cwd, environment }: House): Promise<Door> {
  const upstreams = join(cwd, 'upstreams')
  await writeFile(upstreams, nodes.flatMap(({ url }) => services.map((name) => `${name}=${url}\n`)).join(''))
  const gateway = createNodeProcess({
    name: 'gateway',
    services: ['gateway'],
    port: await freePort(),
    cwd,
    environment: { ...environment, PANDO_GATEWAY_UPSTREAMS_FILE: upstreams },
    ...(workers !== undefined && { workers }),
  })
  await gateway.start()
  const wanted = { nodes: nodes.length, services: services.length }
  const untilUp = async (): Promise<void> => {
    for (let tries = 0; tries < upTriesMax; tries += 1) {
      if (await readAddressesUp(gateway.url, wanted)) return
      await sleep(upPauseMs)
    }
    throw new Error(`The gateway still does not lead to all ${nodes.length} nodes`)
  }
  return { url: gateway.url, gateway, untilUp, stop: gateway.kill }
}

/** A node that listens is ready; nobody can be asked whether the load balancer has noticed it. */
async function openBalancer(name: BalancerName, { nodes }: House): Promise<Door> {
  if (!isInstalled(name)) throw new Error(`${name} cannot be started: install it (Debian: apt-get install ${name})`)
  const { url, stop } = await startBalancer(
    name,
    nodes.map((node) => node.url),
  )
  return { url, gateway: undefined, untilUp: () => sleep(balancerNoticesMs), stop }
}

/** Three times what the files in `deploy/` say. */
const balancerNoticesMs = 3_000

const upPauseMs = 50
/** Two minutes. */
const upTriesMax = 2_400
