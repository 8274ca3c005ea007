import type { Peer } from './peer.ts'
import type { Workload } from './workloads.ts'
import { fillText } from './wrk.ts'

/**
 * Asks each peer once and looks at the answer: a contender that does less work than the others would look fast.
 *
 * @throws with the answer when it is not what the workload is about
 */
export async function verify(workload: Workload, peers: readonly Peer[]): Promise<void> {
  for (const { name, target } of peers) {
    const asked = target(workload)
    if (asked === undefined) continue
    const body = asked.body === undefined ? undefined : fillText(asked.body)
    const answer = await fetch(asked.base + fillText(asked.path), {
      method: asked.method,
      headers: { ...asked.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      body,
    })
    const text = await answer.text()
    const headers = [...answer.headers].map(([header, value]) => `${header}: ${value}`).join('\n')
    const isGood = answer.ok && workload.proves.every(({ pattern, times }) => count(text, pattern) === times)
    if (!isGood) throw new Error(`${name} answers "${workload.name}" with ${answer.status}:\n${headers}\n\n${text}`)
  }
}

function count(text: string, pattern: RegExp): number {
  return text.match(new RegExp(pattern, 'g'))?.length ?? 0
}
