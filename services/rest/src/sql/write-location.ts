import { quoteLiteral, quoteName } from '@pando/postgres/quote'

/**
 * The query that addresses a single inserted row: `id=eq.5&…`, percent-encoded (RFC 3986, unreserved characters stay).
 * Null when not exactly one row was inserted.
 */
export function writeLocation(columns: readonly string[], rows: string): string {
  const terms = columns.map((name) => `${quoteLiteral(`${encodeURIComponent(name)}=`)} || ${writeTerm(name)}`)
  return `case when count(*) = 1 then (select ${terms.join(` || '&' || `)} from ${rows} as k limit 1) end`
}

function writeTerm(name: string): string {
  const value = `k.${quoteName(name)}::text`
  const encoded = `(select string_agg(case when c ~ '[A-Za-z0-9_.~-]' then c else regexp_replace(upper(encode(convert_to(c, 'UTF8'), 'hex')), '(..)', '%\\1', 'g') end, '') from regexp_split_to_table(${value}, '') as c)`
  return `case when ${value} is null then 'is.null' else 'eq.' || coalesce(${encoded}, '') end`
}
