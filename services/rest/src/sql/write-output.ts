import type { Output, OutputValue } from '../plan/read-plan.ts'
import { quoteName, quoteQualified } from '@pando/postgres/quote'
import { typeName } from './type-name.ts'
import { writeField } from './write-field.ts'

/** How embedded rows become a value; given by the writer of reads. */
export type WriteEmbedded = (value: Extract<OutputValue, { kind: 'embed' }>) => string

/** The name of the n-th column of spread rows in their parent: the names a caller chose may repeat. */
export function liftedName(index: number): string {
  return quoteName(`c${index}`)
}

/** One item of a select list, under the caller's name for it. */
export function writeOutput(output: Output, writeEmbedded: WriteEmbedded): string {
  if (output.value.kind === 'all') return `${quoteName(output.value.alias)}.*`
  return `${writeAggregated(output, writeEmbedded)} as ${quoteName(output.name)}`
}

/** The value of an output with its aggregate, if it has one. */
function writeAggregated(output: Output, writeEmbedded: WriteEmbedded): string {
  const { value, aggregate } = output
  const plain = writeValue(value, writeEmbedded)
  if (aggregate === undefined) return plain
  return writeCast(`${aggregate.name}(${value.kind === 'row' ? '*' : plain})`, aggregate.cast)
}

/** The value of an output without its aggregate. */
export function writeValue(value: OutputValue, writeEmbedded: WriteEmbedded): string {
  switch (value.kind) {
    case 'all':
      return `${quoteName(value.alias)}.*`
    case 'row':
      return '1'
    case 'embed':
      return writeEmbedded(value)
    case 'lifted':
      return `${quoteName(value.embed.spreadAlias)}.${liftedName(value.index)}`
    case 'field': {
      const { field, cast } = value
      const text = writeField(field)
      return writeCast(field.toJson === undefined ? text : `${quoteQualified(field.toJson)}(${text})`, cast)
    }
  }
}

function writeCast(text: string, cast: string | undefined): string {
  return cast === undefined ? text : `cast(${text} as ${typeName(cast)})`
}
