import { type ChildProcess, execFileSync, spawn, type SpawnOptions } from 'node:child_process'
import { randomBytes } from 'node:crypto'

/**
 * A network of its own on this machine (a Linux network namespace): processes that run in it meet on its 127.0.0.1, where
 * packets get lost as told, and nobody outside notices. Needs root, iproute2 and nftables.
 */
export type Network = {
  /** Starts a program inside. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess
  /** So many of a hundred packets to and from a TCP port are lost at random. */
  lose(port: number, percent: number): void
  /** Every packet to and from a TCP port is lost, and nobody is told. */
  cut(port: number): void
  /** Packets to a TCP port are answered with a reset. */
  reset(port: number): void
  /** What passes in a second, in all. */
  limit(bytesPerSecond: number): void
  /** Undoes all of the above. */
  heal(): void
  /** Processes that still run inside go on without it; stop them first. */
  remove(): void
}

/** Throws when the machine cannot: no root, or a program is missing. */
export function createNetwork(): Network {
  const name = `pando-${randomBytes(4).toString('hex')}`
  const inside = (command: string, args: readonly string[]): void =>
    run('ip', ['netns', 'exec', name, command, ...args])
  const rule = (text: string): void => inside('nft', ['add', 'rule', 'inet', 'faults', 'input', ...text.split(' ')])
  const toAndFrom = (port: number, what: string): void => {
    rule(`tcp dport ${port} ${what}`)
    rule(`tcp sport ${port} ${what}`)
  }
  run('ip', ['netns', 'add', name])
  try {
    run('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
    inside('nft', ['add', 'table', 'inet', 'faults'])
    inside('nft', ['add', 'chain', 'inet', 'faults', 'input', '{ type filter hook input priority 0; }'])
  } catch (cause) {
    run('ip', ['netns', 'delete', name])
    throw cause
  }
  return {
    spawn: (command, args, options = {}) => spawn('ip', ['netns', 'exec', name, command, ...args], options),
    lose: (port, percent) => toAndFrom(port, `numgen random mod 100 < ${percent} drop`),
    cut: (port) => toAndFrom(port, 'drop'),
    reset: (port) => rule(`tcp dport ${port} reject with tcp reset`),
    limit: (bytesPerSecond) =>
      inside('tc', `qdisc replace dev lo root tbf rate ${bytesPerSecond * 8}bit burst 64kb latency 400ms`.split(' ')),
    heal: () => {
      inside('nft', ['flush', 'chain', 'inet', 'faults', 'input'])
      inside('tc', ['qdisc', 'replace', 'dev', 'lo', 'root', 'noqueue'])
    },
    remove: () => run('ip', ['netns', 'delete', name]),
  }
}

function run(command: string, args: readonly string[]): void {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (cause) {
    const { code, stderr } = cause as { code?: string; stderr?: Buffer }
    const why = code === 'ENOENT' ? `there is no ${command} on this machine` : String(stderr).trim()
    throw new Error(`The network cannot be made (${command} ${args.join(' ')}): ${why}`, { cause })
  }
}
