import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HttpRequest } from './workloads.ts'

export type LoadTarget = HttpRequest & { readonly base: string }

export type Load = {
  readonly connections: number
  readonly seconds: number
  /** The processors that it may use, as a list for `taskset`; all if not given. */
  readonly cpus?: string
}

export type LoadResult = {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/**
 * Closed-loop load by wrk: one thread, `connections` requests under way at any time, for `seconds`.
 *
 * @throws when wrk is not there, its output cannot be read, or a request failed: such a run says nothing
 */
export function runWrk(target: LoadTarget, { connections, seconds, cpus }: Load): LoadResult {
  const folder = mkdtempSync(join(tmpdir(), 'pando-bench-'))
  const script = join(folder, 'request.lua')
  writeFileSync(script, luaScript(target))
  const args = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', '--timeout', '10s', '-s', script, target.base]
  const [command, ...all] = [...pinTo(cpus), 'wrk', ...args] as [string, ...string[]]
  const { stdout, error, status } = spawnSync(command, all, { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  if (error !== undefined || status !== 0) {
    throw new Error(`wrk did not run (${error?.message ?? `exit ${status}`}): install Debian's package wrk.`)
  }
  const line = /^RESULT (.*)$/m.exec(stdout)?.[1]
  if (line === undefined) throw new Error(`wrk printed no result:\n${stdout}`)
  const { requests, micros, p50, p99, failed } = JSON.parse(line) as Record<string, number>
  if (failed! > 0) throw new Error(`${failed} of ${requests} requests to ${target.base}${target.path} failed.`)
  return {
    requestsPerSecond: (requests! / micros!) * 1e6,
    p50Ms: p50! / 1000,
    p99Ms: p99! / 1000,
  }
}

/** What goes in front of a command that may use some processors alone (Linux). */
export function pinTo(cpus: string | undefined): readonly string[] {
  return cpus === undefined ? [] : ['taskset', '--cpu-list', cpus]
}

/** Puts random numbers where a path or body has `{key}` or `{small}`. */
export function fillText(text: string): string {
  return text
    .replaceAll('{key}', () => String(2 * Math.ceil(Math.random() * 50_000)))
    .replaceAll('{small}', () => String(2 * Math.ceil(Math.random() * 100)))
}

/** `{key}` and `{small}` become Lua expressions; all else is quoted. */
function luaText(text: string): string {
  const expressions: Record<string, string> = { key: 'key()', small: 'small()' }
  const parts = text.split(/\{(key|small)\}/)
  // A list, because Lua refuses an expression with two hundred `..`.
  return `table.concat({ ${parts.map((part, index) => (index % 2 === 1 ? expressions[part] : JSON.stringify(part))).join(', ')} })`
}

/** Of the requests that are written beforehand. */
const requestBytesMax = 16 * 1024 * 1024

function luaScript({ method, base, path, headers = {}, body }: LoadTarget): string {
  const wholePath = new URL(base).pathname.replace(/\/$/, '') + path
  const setHeaders = Object.entries(headers).map(
    ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
  )
  return `
math.randomseed(42)
function key() return 2 * math.random(1, 50000) end
function small() return 2 * math.random(1, 100) end
${setHeaders.join('\n')}
${body === undefined ? '' : 'wrk.headers["Content-Type"] = "application/json"'}
local function write()
  return wrk.format(${JSON.stringify(method)}, ${luaText(wholePath)}, nil, ${body === undefined ? 'nil' : luaText(body)})
end
-- Written before the load starts: formatting each as it goes would take as much of a processor as some servers do.
local requests = {}
function init()
  for i = 1, math.min(20000, math.ceil(${requestBytesMax} / #write())) do requests[i] = write() end
end
local at = 0
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"micros":%d,"p50":%d,"p99":%d,"failed":%d}\\n', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
`
}
