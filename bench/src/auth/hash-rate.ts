import { verify } from '@node-rs/argon2'
import { hashSync } from '@node-rs/argon2'
import { availableParallelism } from 'node:os'

/** What the hashing library itself does on all cores, checks per second, at Pando's default cost. */
export async function measureHashRate(seconds: number): Promise<number> {
  const password = 'correct horse battery staple'
  const hash = hashSync(password, { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1 })
  const endMs = performance.now() + seconds * 1000
  const startMs = performance.now()
  let done = 0
  const work = async (): Promise<void> => {
    while (performance.now() < endMs) {
      await verify(hash, password)
      done += 1
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
  return done / ((performance.now() - startMs) / 1000)
}
