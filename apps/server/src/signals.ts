type SignalSource = { on(signal: 'SIGTERM' | 'SIGINT' | 'disconnect', listener: () => void): unknown }
type Endable = { drain(): Promise<void> }

/**
 * The first SIGTERM or SIGINT drains the node and exits with 0; a second one, or a drain that fails, exits with 1 at
 * once. The end of the process that started this one, where the two have a channel, counts as the first.
 */
export function drainOnSignals(source: SignalSource, server: Endable, exit: (code: number) => void): void {
  let isDraining = false
  const end = (): void => {
    if (isDraining) return exit(1)
    isDraining = true
    server.drain().then(
      () => exit(0),
      () => exit(1),
    )
  }
  source.on('SIGTERM', end)
  source.on('SIGINT', end)
  source.on('disconnect', () => {
    if (!isDraining) end()
  })
}
