import type { Change } from '@pando/changes/change'
import { type ChangeEncoder, fillIn } from './encode-change.ts'

/** What a delivery tells, for whoever merges several of one row. */
export type ToldRow = { readonly change: Change; readonly encoder: ChangeEncoder }

/** Names the row among all; undefined when its table has no key, or when the change is one of the key. */
export const keyOfRow = ({ change, encoder }: ToldRow): string | undefined => encoder.keyOf(change)

/** As if the row had been inserted as it is now. */
export const toInsertJson = ({ change, encoder }: ToldRow): string =>
  encoder.encode({ ...change, kind: 'insert' }, { showsOld: false })

/** Long values that an update leaves alone are not in the log again: they are as the change before had them. */
export function takeOver(
  before: ToldRow,
  { change, encoder }: ToldRow,
): { row: ToldRow; dataJson: string } | undefined {
  const { row, old } = change
  if (row === undefined || before.change.row === undefined || !fillIn(row, old).includes(undefined)) return undefined
  const whole = { ...change, row: fillIn(fillIn(row, old), before.change.row) }
  return { row: { change: whole, encoder }, dataJson: encoder.encode(whole, { showsOld: false }) }
}
