import type { ChangesObservation } from '@pando/changes/observation'
import type { Logger } from '@pando/telemetry/logger'

type SlotChecked = Extract<ChangesObservation, { kind: 'slot.checked' }>

/**
 * Warns of log that Postgres keeps for the reader: once when nothing bounds it, because a reader that is gone for good then
 * fills the disk, and once each time that it is more than `bytesAlarm`.
 */
export function createSlotAlarm(logger: Pick<Logger, 'warn'>, bytesAlarm: number): (checked: SlotChecked) => void {
  let isUnboundedTold = false
  let isTold = false
  return ({ slot, retainedBytes, leftBytes }) => {
    if (leftBytes === null && !isUnboundedTold) {
      isUnboundedTold = true
      logger.warn({ slot }, 'nothing bounds the log that Postgres keeps for the slot: set max_slot_wal_keep_size')
    }
    const isMuch = retainedBytes > bytesAlarm
    if (isMuch && !isTold) logger.warn({ slot, retainedBytes, leftBytes }, 'Postgres keeps much log for the slot')
    isTold = isMuch
  }
}
