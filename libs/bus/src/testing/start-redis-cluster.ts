import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from '@pando/postgres/testing/free-port'
import { startRedis, type TestRedis } from './start-redis.ts'

export type TestRedisCluster = {
  /** Three, each with a third of the keys. */
  readonly nodes: readonly TestRedis[]
  stop(): Promise<void>
}

const slots = ['0 5460', '5461 10922', '10923 16383']

/**
 * Starts a cluster of three nodes without replicas, which answers for the rest when one of them is away. `redis-cli --cluster
 * create` does the same, with pauses of a second.
 */
export async function startRedisCluster(): Promise<TestRedisCluster> {
  const members = await Promise.all(slots.map(startMember))
  const [first, ...others] = members
  for (const { node, busPort } of others) {
    const { hostname, port } = new URL(node.url)
    await run(first!, `meet ${hostname} ${port} ${busPort}`)
  }
  for (const member of members) while (!(await isWhole(member))) await sleep(50)
  const nodes = members.map(({ node }) => node)
  return { nodes, stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))) }
}

type Member = { readonly node: TestRedis; readonly busPort: number }

async function startMember(range: string, index: number): Promise<Member> {
  // The usual one, 10,000 higher than the node's own, may be beyond what there is.
  const busPort = await freePort()
  const flags = ['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '2000']
  const member = { node: await startRedis([...flags, '--cluster-require-full-coverage', 'no']), busPort }
  await run(member, `set-config-epoch ${index + 1}`)
  await run(member, `addslotsrange ${range}`)
  return member
}

async function run({ node }: Member, command: string): Promise<string> {
  const { stdout } = await promisify(execFile)('redis-cli', ['-u', node.url, 'cluster', ...command.split(' ')])
  return stdout
}

async function isWhole(member: Member): Promise<boolean> {
  const info = await run(member, 'info')
  return info.includes('cluster_state:ok') && info.includes('cluster_slots_ok:16384')
}
