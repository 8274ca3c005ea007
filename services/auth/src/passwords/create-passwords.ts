import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import type { AuthOptions } from '../config.ts'
import { errors } from '../errors.ts'
import { createGate } from './gate.ts'
import type { HashJob, VerifyJob } from './hash-worker.ts'
import type { Passwords } from './passwords.ts'

type Options = Pick<AuthOptions, 'passwordMemory' | 'passwordPasses' | 'passwordThreads' | 'passwordQueueMax'>

/** How long a thread waits for the next password before it ends. */
const idleMs = 30_000

/**
 * Threads that hash, begun when the first password comes. They have the lowest priority the system knows, and while this
 * process is busy only half of them work: they take what requests leave over, all of it when there are none. How many wait is bounded at the door.
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
  const gate = createGate(threadsMax)
  const run = (job: HashJob | VerifyJob): Promise<unknown> => gate(() => open().run(job, { name: job.name }))
  const admittedMax = threadsMax + options.passwordQueueMax
  let admitted = 0
  return {
    admit: async (use) => {
      if (admitted >= admittedMax) throw errors.tooManySignIns()
      admitted += 1
      return use().finally(() => (admitted -= 1))
    },
    hash: (password) => run({ name: 'hash', password, cost }) as Promise<string>,
    verify: (password, hash) => run({ name: 'verify', password, hash, cost }) as ReturnType<Passwords['verify']>,
    close: async () => void (await pool?.destroy()),
  }
}
