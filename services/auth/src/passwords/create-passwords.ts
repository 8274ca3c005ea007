import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { Piscina } from 'piscina'
import type { AuthOptions } from '../config.ts'
import { errors } from '../errors.ts'
import { createBusySign } from './busy-sign.ts'
import { createGate } from './gate.ts'
import type { HashJob, VerifyJob } from './hash-worker.ts'
import type { Passwords } from './passwords.ts'

type Options = Pick<
  AuthOptions,
  'passwordMemory' | 'passwordPasses' | 'passwordThreads' | 'passwordQueueMax' | 'passwordWaitMax'
>

/** How long a thread waits for the next password before it ends. */
const idleMs = 30_000

/**
 * Threads that hash, begun when the first password comes. They have the lowest priority the system knows, and while this
 * process is busy they work on what requests leave over. How many wait, and how long, is bounded at the door.
 */
export function createPasswords(options: Options): Passwords {
  const cost = {
    memoryCost: Math.round(options.passwordMemory / 1024),
    timeCost: options.passwordPasses,
    parallelism: 1,
  }
  const threadsMax = options.passwordThreads ?? availableParallelism()
  let pool: Piscina | undefined
  const open = (): Piscina =>
    (pool ??= new Piscina({
      filename: new URL('hash-worker.ts', import.meta.url).href,
      minThreads: 0,
      maxThreads: threadsMax,
      idleTimeout: idleMs,
      niceIncrement: 19,
    }))
  const gate = createGate({
    widthMax: threadsMax,
    isBusy: createBusySign(),
    now: () => performance.now(),
    rest: (ms) => setTimeout(ms, undefined, { ref: false }),
  })
  const run = (job: HashJob | VerifyJob): Promise<unknown> => gate.run(() => open().run(job, { name: job.name }))
  const admittedMax = threadsMax + options.passwordQueueMax
  let admitted = 0
  const hasRoom = (): boolean => admitted < admittedMax && gate.waitMs() <= options.passwordWaitMax
  return {
    hasRoom,
    admit: async (use) => {
      if (!hasRoom()) throw errors.tooManySignIns()
      admitted += 1
      return use().finally(() => (admitted -= 1))
    },
    hash: (password) => run({ name: 'hash', password, cost }) as Promise<string>,
    verify: (password, hash) => run({ name: 'verify', password, hash, cost }) as ReturnType<Passwords['verify']>,
    close: async () => void (await pool?.destroy()),
  }
}
