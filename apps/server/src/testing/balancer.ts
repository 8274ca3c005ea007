import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { endWithParent } from '@pando/postgres/embedded/watchdog'
import { freePort } from '@pando/postgres/testing/free-port'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'

export const balancers = ['haproxy', 'nginx'] as const
export type BalancerName = (typeof balancers)[number]

/** A load balancer of somebody else in front of nodes, configured by the file that guides tell people to use. */
export type Balancer = { readonly url: string; stop(): Promise<void> }

/** Their places are not in everybody's path. */
const env = { PATH: `${process.env['PATH']}:/usr/local/sbin:/usr/sbin` }

export const isInstalled = (name: BalancerName): boolean => spawnSync(name, ['-v'], { env }).status === 0

const files = { haproxy: 'haproxy.cfg', nginx: 'nginx.conf' } as const
const flags = {
  haproxy: (file: string) => ['-db', '-f', file],
  nginx: (file: string) => ['-p', path.dirname(file), '-c', file, '-e', 'stderr', '-g', 'daemon off; pid pid;'],
} as const

/** Starts one on a free port; `nodes` are addresses. Fulfils when it leads to one of them. */
export async function startBalancer(name: BalancerName, nodes: readonly string[]): Promise<Balancer> {
  const port = await freePort()
  const text = await readFile(path.join(import.meta.dirname, '../../../../deploy', files[name]), 'utf8')
  const folder = await makeTemporaryFolder(`pando-${name}-`)
  const file = path.join(folder, files[name])
  await writeFile(file, withTemporaryPaths(withAddresses(text, { port, nodes })))
  const child = spawn(name, flags[name](file), { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const said: string[] = []
  child.stderr.setEncoding('utf8').on('data', (words: string) => said.push(words))
  const ended = once(child, 'exit')
  // Undefined where it could not be started.
  const watchdog = child.pid === undefined ? undefined : endWithParent(child.pid)
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
    watchdog?.dismiss()
    await rm(folder, { recursive: true, force: true })
  }
  const url = `http://127.0.0.1:${port}`
  for (let tries = 0; tries < triesMax; tries += 1) {
    const answer = await fetch(`${url}/health/ready`).catch(() => undefined)
    if (answer?.ok === true) return { url, stop }
    if (child.exitCode !== null) break
    await sleep(pauseMs)
  }
  await stop()
  throw new Error(`${name} does not lead to ${nodes.join(', ')}. It said:\n${said.join('')}`)
}

const triesMax = 600
const pauseMs = 50

/** The file of the guide names port 8000 and three nodes from 8001 on. */
function withAddresses(
  text: string,
  { port, nodes }: { readonly port: number; readonly nodes: readonly string[] },
): string {
  const lines = text.replace('127.0.0.1:8000', `127.0.0.1:${port}`).split('\n')
  const toLines = (line: string): string[] => {
    if (/127\.0\.0\.1:800[23]/.test(line)) return []
    if (!line.includes('127.0.0.1:8001')) return [line]
    return nodes.map((node, at) =>
      line.replace('127.0.0.1:8001', new URL(node).host).replace('node-1', `node-${at + 1}`),
    )
  }
  return lines.flatMap(toLines).join('\n')
}

/** Where nginx puts bodies that are large; its own places are root's. */
const withTemporaryPaths = (text: string): string =>
  text.replace(
    'http {\n',
    `http {\n${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${kind};\n`).join('')}`,
  )
