import { watchStalls } from './stall-watch.ts'

/**
 * Loaded into the process under test by `--import`, before anything of it: answers `probe` over the process channel
 * with what `house.ts` calls `Probed`.
 */
const stalls = watchStalls()
const names = Object.getOwnPropertyNames(Object.prototype).join()

process.on('message', (message) => {
  if (message !== 'probe') return
  process.send?.({
    stallMs: stalls.take(),
    polluted: Object.getOwnPropertyNames(Object.prototype).join() !== names,
    rssBytes: process.memoryUsage.rss(),
  })
})
// The channel alone must not keep the process alive.
process.channel?.unref()
