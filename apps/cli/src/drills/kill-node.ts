import { seededRandom } from '@pando/core/testing/seeded-random'

import { checkEvents, checkWrites } from './checks.ts'
import type { Drill } from './drill.ts'
import { pick } from './load/random.ts'
import { underTraffic } from './traffic.ts'

/** Nodes that die, one at a time and at random, while the others go on. */
export const killNode: Drill = {
  name: 'kill-node',
  about:
    'kill -9 of a node under load: nothing that was acknowledged is lost or done twice, and followers miss nothing',
  needs: {},
  async run(stage) {
    const { fleet, rounds, seconds, seed, step, wait } = stage
    const random = seededRandom(seed)
    const found = await underTraffic(stage, {
      async strike() {
        for (let round = 0; round < rounds; round += 1) {
          const node = pick(fleet.nodes, random)
          step(`kill -9 of ${node.name}`)
          await node.kill()
          await wait(Math.min(seconds / 2, random() * 2))
          await node.start()
          await fleet.untilUp()
          step(`${node.name} is back`)
          await wait(random())
        }
      },
    })
    const checks = [...checkWrites(found.losses), ...checkEvents(found.losses)]
    return { ...found, promise: 'An acknowledged write survives', checks }
  },
}
