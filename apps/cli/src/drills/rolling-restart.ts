import { checkEvents, checkFailures, checkTurnedAway, checkWrites } from './checks.ts'
import type { Drill } from './drill.ts'
import { underTraffic } from './traffic.ts'

/** Every process is replaced by a new one, as with a new version. */
export const rollingRestart: Drill = {
  name: 'rolling-restart',
  about: 'each node and each process of the gateway is replaced under load: no request fails, followers miss nothing',
  needs: { gatewayWorkers: 2 },
  async run(stage) {
    const { fleet, rounds, step } = stage
    const found = await underTraffic(stage, {
      async strike() {
        for (let round = 0; round < rounds; round += 1) {
          for (const node of fleet.nodes) {
            await node.end()
            await node.start()
            await fleet.untilUp()
            step(`${node.name} is replaced`)
          }
          if (fleet.gateway === undefined) continue
          await fleet.gateway.replaceWorkers()
          step('the processes of the gateway have successors')
        }
      },
    })
    const checks = [
      checkFailures(found.sent),
      checkTurnedAway(found.sent),
      ...checkWrites(found.losses),
      ...checkEvents(found.losses),
    ]
    return { ...found, promise: 'A rolling restart is invisible', checks }
  },
}
