import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { CrowdReport, CrowdTask } from './crowd.ts'

/** A process of load; one task at a time. */
export type Crowd = {
  open(task: Omit<Extract<CrowdTask, { kind: 'open' }>, 'kind'>): Promise<{ readonly seconds: number }>
  greet(task: Omit<Extract<CrowdTask, { kind: 'greet' }>, 'kind'>): Promise<{ readonly seconds: number }>
  count(text: string): Promise<void>
  report(): Promise<CrowdReport>
  send(task: Omit<Extract<CrowdTask, { kind: 'send' }>, 'kind'>): Promise<void>
  close(): Promise<void>
  stop(): void
}

export function startCrowd(): Crowd {
  const child = fork(fileURLToPath(new URL('crowd.ts', import.meta.url)))
  let last: Promise<unknown> = Promise.resolve()
  const ask = <T>(task: CrowdTask): Promise<T> => {
    const answer = last.then(async () => {
      child.send(task)
      const [received] = (await once(child, 'message')) as [T]
      return received
    })
    last = answer.catch(() => undefined)
    return answer
  }
  return {
    open: (task) => ask({ kind: 'open', ...task }),
    greet: (task) => ask({ kind: 'greet', ...task }),
    count: async (text) => void (await ask({ kind: 'count', text })),
    report: () => ask({ kind: 'report' }),
    send: async (task) => void (await ask({ kind: 'send', ...task })),
    close: async () => void (await ask({ kind: 'close' })),
    stop: () => void child.kill(),
  }
}
