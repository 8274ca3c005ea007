import { constants } from 'node:os'

/** Signals this close together are one press of Ctrl-C that came both from the terminal and from the parent. */
const samePressMs = 200

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Resolves at the first Ctrl-C, `SIGTERM`, `SIGHUP`, or when the starting process is gone. A second signal ends this
 * process at once, after `atOnce`.
 */
export function waitForStop(atOnce: () => void): Promise<string> {
  return new Promise((resolve) => {
    let firstAt: number | undefined
    const stop = (signal: (typeof signals)[number]) => {
      if (firstAt === undefined) {
        firstAt = performance.now()
        resolve(signal)
      } else if (performance.now() - firstAt > samePressMs) {
        atOnce()
        process.exit(128 + constants.signals[signal])
      }
    }
    for (const signal of signals) process.on(signal, () => stop(signal))
    // Started by bin/pando.js under an older Node: the channel closes when that process dies, even by kill -9.
    process.on('disconnect', () => stop('SIGHUP'))
    process.channel?.unref()
  })
}
