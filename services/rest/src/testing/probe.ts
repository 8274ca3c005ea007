import { monitorEventLoopDelay } from 'node:perf_hooks'

/**
 * Loaded into the process under test by `--import`, before anything of it: answers `probe` over the process channel with
 * what `house.ts` calls `Probed`.
 */
const delay = monitorEventLoopDelay({ resolution: 10 })
delay.enable()
const names = Object.getOwnPropertyNames(Object.prototype).join()

process.on('message', (message) => {
  if (message !== 'probe') return
  process.send?.({
    stallMs: delay.max / 1e6,
    polluted: Object.getOwnPropertyNames(Object.prototype).join() !== names,
    rssBytes: process.memoryUsage.rss(),
  })
  delay.reset()
})
// The channel alone must not keep the process alive.
process.channel?.unref()
