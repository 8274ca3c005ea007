import { Presets, SingleBar } from 'cli-progress'

/** How far a load is. */
export type Progress = { readonly add: (rows: number) => void; readonly done: () => void }

/** Tells a person: a bar on a terminal, one line at the end elsewhere. */
export function showProgress(name: string, total: number): Progress {
  const startedAt = performance.now()
  const seconds = (): string => ((performance.now() - startedAt) / 1000).toFixed(1)
  const label = name.padEnd(8)
  if (!process.stdout.isTTY) {
    return {
      add: () => undefined,
      done: () => console.log(`${label}${total.toLocaleString('en')} rows in ${seconds()} s`),
    }
  }
  const format = `${label}{bar} {percentage} % · {value}/{total} rows · {seconds} s`
  const bar = new SingleBar({ format, hideCursor: true, barsize: 32, stream: process.stdout }, Presets.shades_classic)
  bar.start(total, 0, { seconds: seconds() })
  return {
    add: (rows) => bar.increment(rows, { seconds: seconds() }),
    done: () => bar.stop(),
  }
}
