import { PostgresError } from '../errors.ts'
import type { Parameter, Statement } from '../exchange.ts'

const paramsMax = 65_535
const paramBytesMax = 0x3f_ff_ff_ff

/**
 * Throws when a statement cannot be carried by the protocol: too many parameters, or one of 1 GiB and more. Nothing may
 * throw once a flight is being written, for half of it would be taken for the beginning of the next.
 */
export function mustFit(statements: readonly Statement[]): void {
  for (let i = 0; i < statements.length; i++) {
    const { params } = statements[i]!
    if (params.length > paramsMax)
      throw toTooLarge(`${params.length} parameters are more than the ${paramsMax} of a statement`)
    for (let j = 0; j < params.length; j++) if (typeof params[j] !== 'string') mustFitValue(params[j], j)
  }
}

function mustFitValue(value: Parameter | undefined, index: number): void {
  if (value === null) return
  if (!Array.isArray(value))
    throw new TypeError(`Parameter ${index + 1} is a ${typeof value}; give text, null or chunks`)
  const bytes = (value as readonly Uint8Array[]).reduce((sum, chunk) => sum + chunk.length, 0)
  if (bytes > paramBytesMax) throw toTooLarge(`A parameter of ${bytes} bytes is larger than a value of Postgres can be`)
}

/** The error that Postgres itself has for a statement beyond its limits. */
function toTooLarge(message: string): PostgresError {
  return new PostgresError({ severity: 'ERROR', code: '54000', message })
}

/** The answer to a caller whose rows are more than may be held in memory. */
export function toOverflow(resultBytesMax: number): PostgresError {
  return toTooLarge(`The rows are more than ${resultBytesMax} bytes; ask for fewer rows or columns at a time`)
}
