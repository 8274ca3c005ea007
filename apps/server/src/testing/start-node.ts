import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'

const program = path.join(import.meta.dirname, '../main.ts')

/** A node as a process of its own. */
export type StartedNode = {
  readonly url: string
  readonly process: ChildProcess
  /** With SIGKILL, unless it has ended. */
  kill(): Promise<void>
}

/** Starts a node on a free port; `environment` are its options. Fulfils when it listens. */
export async function startNode(environment: Record<string, string>): Promise<StartedNode> {
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env['PATH'], PANDO_SERVER_PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
  }
  for await (const line of createInterface(child.stdout)) {
    const { msg, url } = JSON.parse(line) as { msg: string; url?: string }
    if (msg !== 'listening') continue
    child.stdout.resume()
    return { url: url!, process: child, kill }
  }
  throw new Error('the node ended before it listened')
}
