import type { PostgresErrorFields } from '@pando/postgres/errors'

/**
 * An error of Citus as Postgres would have said it: of tables and constraints by their own names, where Citus names those of
 * a shard (`boats_pkey_102008`), because people's error handling looks for them. What Citus refuses is said to be that, with
 * what to do instead.
 */
export function fromCitus(fields: PostgresErrorFields): PostgresErrorFields {
  const { code, message, detail } = fields
  if (namesShards.test(code)) {
    return { ...fields, message: message.replace(shardName, '"$1"'), detail: detail?.replace(shardOfDetail, '"$1".') }
  }
  const refused = refusals.find(([text]) => text.test(message))
  return refused === undefined ? fields : { ...fields, code: notSupported, hint: refused[1] }
}

const notSupported = '0A000'

/** What policies and constraints on the workers refuse. */
const namesShards = /^(?:23...|42501)$/

/** Numbers of shards start at 102008. */
const shardName = /"([^"]+)_\d{6,}"/g

/** `Key (boat_id)=(9) is not present in table "boats_102008".`: values of the caller stand before. */
const shardOfDetail = /"([^"]+)_\d{6,}"\.$/

const withinOneKey =
  'Within one key all of SQL works: filter by the column that the table is spread by (tenant_id=eq.…), or call as somebody whose claims have the key.'
const noRowFunctions = 'Functions of its rows do not run where the rows of this table are. A generated column does.'

/** Citus' texts, which are in no other language, and what to do instead. */
const refusals: readonly (readonly [text: RegExp, hint: string])[] = [
  [/^cannot modify views when the query contains citus tables/, 'Write to the table itself.'],
  [/^EXPLAIN ANALYZE is currently not supported/, 'Ask for the plan without analyze.'],
  [
    /^modifying the partition value of rows/,
    'No row goes to another key. Leave the column out, or filter by it too (tenant_id=eq.…).',
  ],
  [/^correlated subqueries are not supported/, withinOneKey],
  [/^complex joins are only supported/, withinOneKey],
  [/^cannot perform a lateral outer join/, withinOneKey],
  [/^function .+_\d{6,}\) does not exist/, noRowFunctions],
  [/^non-IMMUTABLE functions are not allowed in the RETURNING/, noRowFunctions],
]
