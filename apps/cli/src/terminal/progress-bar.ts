import type { Terminal } from './terminal.ts'

/** How far a long command is. */
export type ProgressBar = { advance(): void; stop(): void }

/** A bar on standard error where a person watches, and nothing elsewhere. */
export async function showProgress(terminal: Terminal, label: string, total: number): Promise<ProgressBar> {
  if (!terminal.watched) return { advance: () => undefined, stop: () => undefined }
  const { Presets, SingleBar } = await import('cli-progress')
  const format = `${label} {bar} {percentage} % · {value} of {total} · {eta_formatted} to go`
  const bar = new SingleBar({ format, hideCursor: true, barsize: 32, clearOnComplete: true }, Presets.shades_classic)
  bar.start(total, 0)
  return { advance: () => bar.increment(), stop: () => bar.stop() }
}
