import { setTimeout } from 'node:timers/promises'
import type { Catalogue } from './catalogue.ts'
import { createReloadQueue } from './reload-queue.ts'

export type CatalogueKeeperDeps = {
  /** Reads a new catalogue, and the configuration in the database with it. */
  readonly load: (context: LoadContext) => Promise<Catalogue>
  /** Reads the configuration in the database alone; without it everything is read. */
  readonly loadConfig?: () => Promise<Catalogue['inDatabaseConfig']>
  readonly listen: Listen
  /** Told of each catalogue before it is served. */
  readonly onLoaded?: (catalogue: Catalogue) => void
  /** Told of each failed attempt; the old catalogue serves on and another attempt follows after `retryInMs`. */
  readonly onFailed?: (failure: {
    readonly error: unknown
    readonly attempt: number
    readonly retryInMs: number
  }) => void
  /** Default `pgrst`. */
  readonly channel?: string
  /** A number in [0, 1); default `Math.random`. */
  readonly random?: () => number
  /** Resolves after so many milliseconds, or rejects when the signal aborts; default is the real time. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<unknown>
}

/** `generation` for the catalogue to load, and the one before it. */
export type LoadContext = { readonly generation: number; readonly previous: Catalogue | undefined }

/** Listens over a connection of its own, which is made anew when it dies; see `listen` of `@pando/postgres/listen`. */
export type Listen = (events: {
  readonly channels: readonly string[]
  readonly onNotice: (channel: string, payload: string) => void
  /** It listens again after a loss: what was sent meanwhile is missed. */
  readonly onReconnected: () => void
}) => {
  /** Fulfilled when it listens for the first time. */
  readonly ready: Promise<void>
  stop(): Promise<void>
}

export type CatalogueKeeper = {
  /** The catalogue that serves; undefined until the first load. */
  current(): Catalogue | undefined
  /** Whether there is a catalogue. */
  ready(): boolean
  /** Loads now (or right after the load that runs); resolves when a catalogue read from now on serves. */
  reload(): Promise<void>
  /** Begins to listen and loads; resolves when the first catalogue serves. */
  start(): Promise<void>
  /** Ends listening and loading; a load that runs is not waited for and changes nothing any more. */
  stop(): Promise<void>
}

/**
 * A catalogue that is read before somebody listens may be old at once, and is read again. This long that is put off: a
 * replica cannot listen at all.
 */
const listenFirstMs = 500

/** What is to be read, in the order of what includes what. */
const wants = { config: 1, catalogue: 2 }

/** What the payloads mean; others are not for us. */
const payloads: ReadonlyMap<string, number> = new Map([
  ['', wants.catalogue],
  ['reload schema', wants.catalogue],
  ['reload config', wants.config],
])

/**
 * Keeps a catalogue up to date: a notification on the channel causes a load, and so does a listener that had to connect
 * again. The old catalogue serves until the new one is there, and on when a load fails; loads never overlap.
 */
export function createCatalogueKeeper(deps: CatalogueKeeperDeps): CatalogueKeeper {
  const { load, loadConfig, onLoaded, channel = 'pgrst' } = deps
  const sleep = deps.sleep ?? ((ms: number, signal: AbortSignal) => setTimeout(ms, undefined, { signal }))
  let current: Catalogue | undefined
  let generation = 0
  let listener: ReturnType<Listen> | undefined
  let isStopped = false

  async function read(want: number): Promise<Catalogue> {
    generation++
    return want === wants.config && current !== undefined && loadConfig !== undefined
      ? { ...current, generation, inDatabaseConfig: await loadConfig() }
      : load({ generation, previous: current })
  }

  const queue = createReloadQueue({
    async run(want) {
      const next = await read(want)
      if (isStopped) return
      onLoaded?.(next)
      current = next
    },
    onFailed: deps.onFailed,
    random: deps.random ?? Math.random,
    sleep,
  })

  function reloadMissed(): void {
    queue.ask(wants.catalogue)
    queue.hurry()
  }

  async function listenFirst(): Promise<void> {
    const { ready } = (listener = deps.listen({
      channels: [channel],
      onNotice: (_, payload) => queue.ask(payloads.get(payload) ?? 0),
      onReconnected: reloadMissed,
    }))
    const patience = new AbortController()
    const outOfPatience = sleep(listenFirstMs, patience.signal).then(
      () => 'late' as const,
      () => 'stopped' as const,
    )
    const first = await Promise.race([ready, outOfPatience])
    patience.abort()
    if (first === 'late') void ready.then(reloadMissed)
  }

  return {
    current: () => current,
    ready: () => current !== undefined,
    reload: () => queue.askNow(wants.catalogue),
    async start() {
      await listenFirst()
      await queue.askNow(wants.catalogue)
    },
    async stop() {
      isStopped = true
      queue.stop()
      await listener?.stop()
    },
  }
}
