import type { EmbedPlan, OrderPlan } from '../plan/read-plan.ts'
import { quoteName } from '@pando/postgres/quote'
import { writeField } from './write-field.ts'
import { liftedName } from './write-output.ts'

/** The value of a field in the embedded row of a to-one; given by the writer of reads. */
export type WriteRelated = (embed: EmbedPlan, field: string) => string

/** One term of `order by`. */
export function writeOrder(order: OrderPlan, writeRelated: WriteRelated): string {
  const direction = order.direction === undefined ? '' : ` ${order.direction}`
  const nulls = order.nulls === undefined ? '' : ` nulls ${order.nulls}`
  return `${writeOperand(order, writeRelated)}${direction}${nulls}`
}

/** A column that a spread has lifted is in the row already, and is what grouped rows can be ordered by. */
function writeOperand({ embed, field }: OrderPlan, writeRelated: WriteRelated): string {
  if (embed === undefined) return writeField(field)
  const lifted =
    embed.kind === 'spread' && field.path.length === 0
      ? embed.read.outputs.findIndex(({ name, aggregate }) => name === field.name && aggregate === undefined)
      : -1
  return lifted < 0 ? writeRelated(embed, writeField(field)) : `${quoteName(embed.spreadAlias)}.${liftedName(lifted)}`
}
