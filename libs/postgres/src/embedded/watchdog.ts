import { spawn } from 'node:child_process'

/**
 * Stops process `pid` (SIGINT) as soon as this process ends, however it ends. A shell waits on a pipe whose other end
 * only we hold: the kernel closes it even after `kill -9`. Portable, unlike `prctl(PR_SET_PDEATHSIG)`, and costs 1 MB.
 */
export function endWithParent(pid: number): { dismiss(): void } {
  const watcher = spawn('/bin/sh', ['-c', 'read -r line; [ "$line" = dismiss ] || kill -INT "$0"', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // Without a shell the server outlives us, and the next start stops it.
  watcher.on('error', ignore)
  watcher.stdin?.on('error', ignore)
  watcher.unref()
  if (watcher.stdin !== null && 'unref' in watcher.stdin) (watcher.stdin.unref as () => void)()
  return { dismiss: () => watcher.stdin?.end('dismiss\n') }
}

const ignore = (): void => undefined
