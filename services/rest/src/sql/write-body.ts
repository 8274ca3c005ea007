import type { BodyFormat } from '../plan/choose-media.ts'
import type { Output, ReadPlan } from '../plan/read-plan.ts'
import { quoteLiteral, quoteQualified } from '@pando/postgres/quote'

type JsonFormat = Extract<BodyFormat, { kind: 'json' }>

/** Rows of the alias `r` aggregated into the body; `names` are their columns, when known. */
export function writeBody(format: BodyFormat, names: readonly string[] | undefined): string {
  switch (format.kind) {
    case 'json':
      return writeJson(format)
    case 'csv':
      return writeCsv(names)
    case 'geojson': {
      const features = `coalesce(json_agg(${quoteQualified(format.routine)}(r.*)::json), '[]')`
      return `json_build_object('type', 'FeatureCollection', 'features', ${features})`
    }
    case 'aggregate': {
      const row = format.row === undefined ? 'r.*' : `(r.*)::${quoteQualified(format.row)}`
      return `${quoteQualified(format.routine)}(${row})`
    }
    case 'raw':
      return 'null'
  }
}

/** The row of the alias `r` as JSON. */
export function writeJsonRow({ stripNulls }: JsonFormat): string {
  return stripNulls ? 'json_strip_nulls(row_to_json(r.*))' : 'row_to_json(r.*)'
}

/** A single object is the only row's text; when there are more or fewer the executor refuses before it looks at it. */
function writeJson(format: JsonFormat): string {
  const { singular, stripNulls } = format
  const row = writeJsonRow(format)
  if (singular) return `string_agg(${row}::text, ',')`
  return `coalesce(json_agg(${stripNulls ? row : 'r.*'}), '[]')`
}

/**
 * A record's text is a CSV line in parentheses, but for its doubled backslashes. The names are known before there are
 * rows; only those of an untyped record must be taken from the first one.
 */
function writeCsv(names: readonly string[] | undefined): string {
  const line = `replace(substr((r.*)::text, 2, length((r.*)::text) - 2), E'\\\\\\\\', E'\\\\')`
  const header =
    names === undefined
      ? `coalesce((select string_agg(k, ',') from json_object_keys((array_agg(row_to_json(r.*)))[1]) as k), '')`
      : quoteLiteral(names.map(writeCsvName).join(','))
  return `${header} || E'\\n' || coalesce(string_agg(${line}, E'\\n'), '')`
}

function writeCsvName(name: string): string {
  return /[",\r\n]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name
}

/** The names of a read's columns, unless they are those of an unknown record. */
export function outputNames({ outputs, relation }: ReadPlan): string[] | undefined {
  const names = (output: Output): string[] | undefined => {
    if (output.value.kind !== 'all') return [output.name]
    return relation === undefined ? undefined : [...relation.columns.keys()]
  }
  const lists = outputs.map(names)
  return lists.includes(undefined) ? undefined : lists.flatMap((list) => list ?? [])
}
