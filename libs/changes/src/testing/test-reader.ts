import type { Bus } from '@pando/bus/bus'
import { systemClock } from '@pando/core/clock'
import type { ServerUrl } from '@pando/postgres/server-url'
import type { Change, Transaction } from '../change.ts'
import { changesOptions, type ChangesValues } from '../config.ts'
import type { ChangesObservation } from '../observation.ts'
import { createChangeReader, type ChangeReader } from '../reader.ts'

/** The defaults with short pauses, so that tests need not wait. */
export const quickLimits: ChangesValues = {
  ...(Object.fromEntries(
    Object.entries(changesOptions.options).map(([name, option]) => [name, option.default]),
  ) as ChangesValues),
  statusInterval: 20,
  standbyPause: 20,
  retryPause: 10,
  retryPauseMax: 100,
  checkInterval: 50,
  stopTimeout: 20_000,
}

/** A reader that remembers everything it was told. */
export type TestReader = ChangeReader & {
  readonly transactions: readonly Transaction[]
  readonly resets: readonly { readonly reason: string; readonly tables: readonly string[] | undefined }[]
  readonly observations: readonly ChangesObservation[]
  changes(): Change[]
  /** Fulfils as soon as the condition holds; it is looked at whenever something happened. */
  until(condition: () => boolean): Promise<void>
}

export type TestReaderOptions = {
  readonly url: ServerUrl
  readonly publications?: readonly string[]
  readonly limits?: Partial<ChangesValues>
  readonly bus?: Bus
}

export function createTestReader({ url, publications = ['feed'], limits, bus }: TestReaderOptions): TestReader {
  const transactions: Transaction[] = []
  const resets: TestReader['resets'][number][] = []
  const observations: ChangesObservation[] = []
  const waiting = new Set<() => void>()
  const look = (): void => waiting.forEach((check) => check())
  const reader = createChangeReader({
    url,
    applicationName: 'test',
    publications,
    limits: { ...quickLimits, ...limits },
    bus,
    clock: systemClock,
    random: Math.random,
    observe: (observation) => {
      observations.push(observation)
      queueMicrotask(look)
    },
  })
  reader.subscribe({
    onTransaction: (transaction) => {
      transactions.push(transaction)
      look()
    },
    onReset: (reason, relations) => {
      resets.push({ reason, tables: relations?.map(({ table }) => table) })
      look()
    },
  })
  return {
    ...reader,
    transactions,
    resets,
    observations,
    changes: () => transactions.flatMap(({ changes }) => changes),
    until: (condition) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (!condition()) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
  }
}
