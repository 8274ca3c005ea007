/** Work that may be asked for at any time and runs once at a time. */
export type Serial = {
  /** Asks for a run. Asked during a run, one more follows, however often it was asked. */
  request(): void
  /** Resolves when nothing runs and nothing is asked for. */
  idle(): Promise<void>
}

/** Serialises `run`, which must not throw: a burst of saved files is one run, and two never overlap. */
export function createSerial(run: () => Promise<void>): Serial {
  let wanted = false
  let running: Promise<void> | undefined
  const loop = async () => {
    while (wanted) {
      wanted = false
      await run()
    }
    running = undefined
  }
  return {
    request: () => {
      wanted = true
      running ??= loop()
    },
    idle: () => running ?? Promise.resolve(),
  }
}
