// Reads what the page needs from the text format of Prometheus: cumulative counts of the requests of services.

const line = /^http_request_duration_seconds_bucket\{(.*)\} (\S+)$/
const own = new Set(['admin', 'dashboard', 'gateway', 'http'])

/**
 * @param {string} text
 * @returns {{ buckets: Map<number, number>, errors: number }} cumulative request counts by upper bound in seconds, and
 *   the number of 5xx answers; the page's own requests are not counted
 */
export function readRequests(text) {
  const buckets = new Map()
  let errors = 0
  for (const row of text.split('\n')) {
    const found = line.exec(row)
    if (found === null) continue
    const labels = Object.fromEntries([...found[1].matchAll(/(\w+)="([^"]*)"/g)].map((label) => [label[1], label[2]]))
    if (own.has(labels.service)) continue
    const bound = labels.le === '+Inf' ? Infinity : Number(labels.le)
    buckets.set(bound, (buckets.get(bound) ?? 0) + Number(found[2]))
    if (bound === Infinity && labels.status === '5xx') errors += Number(found[2])
  }
  return { buckets, errors }
}

/** What happened between two readings: requests, errors, and quantiles interpolated within a bucket, in milliseconds. */
export function difference(before, after) {
  const bounds = [...after.buckets.keys()].sort((a, b) => a - b)
  const counts = bounds.map((bound) => after.buckets.get(bound) - (before.buckets.get(bound) ?? 0))
  const total = counts.at(-1) ?? 0
  const quantile = (share) => {
    if (total === 0) return undefined
    const wanted = total * share
    const index = counts.findIndex((count) => count >= wanted)
    const low = index === 0 ? 0 : bounds[index - 1]
    const high = bounds[index] === Infinity ? low : bounds[index]
    const below = index === 0 ? 0 : counts[index - 1]
    const inside = counts[index] - below
    return 1000 * (low + (inside === 0 ? 0 : ((wanted - below) / inside) * (high - low)))
  }
  return { requests: total, errors: after.errors - before.errors, p50: quantile(0.5), p99: quantile(0.99) }
}
