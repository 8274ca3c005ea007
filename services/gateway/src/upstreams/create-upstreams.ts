import type { Clock } from '@pando/core/clock'
import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { GatewayValues } from '../config.ts'
import { createUpstream, type Upstream, type UpstreamLimits } from './create-upstream.ts'
import type { Observe } from './observations.ts'
import { type Origins, parseUpstreams, parseUpstreamsFile } from './parse-upstreams.ts'

export type UpstreamsDeps = {
  readonly values: GatewayValues
  /** Of the services that this wire knows. */
  readonly names: readonly string[]
  readonly clock: Clock
  readonly random: () => number
  readonly observe: Observe
}

/** All services on other nodes. */
export type Upstreams = {
  readonly all: readonly Upstream[]
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * Makes the upstreams that the options name, or a file does, which is read again while the node runs: addresses come
 * and go with it, the services stay the same. A file that is wrong by then changes nothing.
 *
 * @throws when the file cannot be read or has a mistake
 */
export function createUpstreams(deps: UpstreamsDeps): Upstreams {
  const { values, names, observe } = deps
  const file = values.upstreamsFile
  if (file !== null && values.upstreams.length > 0)
    throw new Error('PANDO_GATEWAY_UPSTREAMS and PANDO_GATEWAY_UPSTREAMS_FILE are both set. Keep one of them.')
  let text = file === null ? '' : readFileSync(file, 'utf8')
  const origins = file === null ? parseUpstreams(values.upstreams, names) : parseFile(text)
  const limits = toLimits(values)
  const all = [...origins].map(([name, each]) =>
    createUpstream({ ...deps, name, origins: each, limits, lookup: (host) => lookup(host, { all: true }) }),
  )
  let timer: NodeJS.Timeout | undefined

  function parseFile(given: string): Origins {
    try {
      return parseUpstreamsFile(given, names)
    } catch (error) {
      throw new Error(`${file}: ${(error as Error).message}`, { cause: error })
    }
  }

  async function follow(path: string): Promise<void> {
    try {
      const given = await readFile(path, 'utf8')
      if (given === text) return
      text = given
      const next = parseFile(given)
      const isSame = next.size === all.length && all.every(({ name }) => next.has(name))
      if (!isSame) throw new Error(`${path}: other services than at the start; for these the node is started anew`)
      await Promise.all(all.map((upstream) => upstream.replace(next.get(upstream.name)!)))
    } catch (cause) {
      observe({ kind: 'file.refused', file: path, cause })
    }
  }

  return {
    all,
    async start() {
      await Promise.all(all.map((upstream) => upstream.start()))
      if (file !== null) timer = setInterval(() => void follow(file), values.upstreamRefresh).unref()
    },
    async stop() {
      clearInterval(timer)
      await Promise.all(all.map((upstream) => upstream.stop()))
    },
  }
}

function toLimits(values: GatewayValues): UpstreamLimits {
  return {
    connectionsMax: values.upstreamConnectionsMax,
    requestsMax: values.upstreamRequestsMax,
    connectTimeoutMs: values.upstreamConnectTimeout,
    probeMs: values.upstreamProbeInterval,
    probeTimeoutMs: values.upstreamProbeTimeout,
    refreshMs: values.upstreamRefresh,
    failuresMax: values.upstreamFailuresMax,
    ejectionMs: values.upstreamEjection,
    ejectionMsMax: values.upstreamEjectionMax,
    retryShare: values.upstreamRetryShare,
  }
}
