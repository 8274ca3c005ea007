import { checkAnswered, checkEvents, checkFailures, checkWrites } from './checks.ts'
import type { Drill } from './drill.ts'
import { underTraffic } from './traffic.ts'

/** Redis dies, is away for a while, and comes back empty; then it stands still for as long. */
export const loseRedis: Drill = {
  name: 'lose-redis',
  about: 'Redis is killed, comes back empty, and stands still: the API goes on, followers miss nothing',
  needs: { redis: true },
  async run(stage) {
    const { fleet, rounds, seconds, step, wait } = stage
    const redis = fleet.redis!
    const found = await underTraffic(stage, {
      async strike() {
        for (let round = 0; round < rounds; round += 1) {
          step('kill -9 of Redis')
          await redis.kill()
          await wait(seconds)
          await redis.restart()
          step('Redis is back, empty')
          await wait(seconds)
          step('Redis stands still')
          redis.freeze()
          await wait(seconds)
          redis.thaw()
          step('Redis goes on')
        }
      },
    })
    const checks = [
      checkAnswered('requests answered', found.sent),
      checkFailures(found.sent),
      ...checkWrites(found.losses),
      ...checkEvents(found.losses),
    ]
    return { ...found, promise: 'A broker is not a single point', checks }
  },
}
