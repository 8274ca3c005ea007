import type { Lsn } from '@pando/postgres/lsn'
import type { Kept } from './page.ts'
import { parseSnapshot } from './snapshot.ts'

/** What processes give each other: a page, and how far the log was known where it was made or last found to be right. */
export type SharedPage = Kept & { readonly lsn: Lsn }

type Head = {
  readonly pageRows: number
  readonly total?: number
  readonly hasBody: boolean
  readonly tag: string
  readonly snapshot: string
  readonly schema: string
  readonly tables: readonly number[]
  readonly madeAtMs: number
  readonly lsn: string
}

const newLine = 0x0a

/** A line of JSON and the body. */
export function encodeKept({ page, tag, snapshot, schema, tables, madeAtMs, lsn }: SharedPage): Buffer {
  const { pageRows, total, body } = page
  const head: Head = {
    pageRows,
    total,
    hasBody: body !== undefined,
    tag,
    snapshot: snapshot.text,
    schema: schema.text,
    tables,
    madeAtMs,
    lsn: String(lsn),
  }
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), Buffer.from(body ?? '')])
}

/** Up to here a body is text, as the rest of the house has it: Node writes that with the headers. */
const textBytesMax = 16 * 1024

/** Throws for bytes that `encodeKept` has not made. */
export function decodeKept(bytes: Buffer): SharedPage {
  const end = bytes.indexOf(newLine)
  const { pageRows, total, hasBody, lsn, ...rest } = JSON.parse(bytes.toString('utf8', 0, end)) as Head
  const snapshot = parseSnapshot(rest.snapshot)
  const schema = parseSnapshot(rest.schema)
  if (end < 0 || snapshot === undefined || schema === undefined) throw new RangeError('a kept answer is malformed')
  const bodyBytes = bytes.subarray(end + 1)
  const body = bodyBytes.length <= textBytesMax ? bodyBytes.toString() : bodyBytes
  return { ...rest, page: { pageRows, total, body: hasBody ? body : undefined }, snapshot, schema, lsn: BigInt(lsn) }
}
