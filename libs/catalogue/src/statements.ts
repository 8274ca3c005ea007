/**
 * Every statement of the loader. Each gives rows with one text column, `fact`, that holds JSON: the driver's own type
 * parsers do not matter, rows arrive and are parsed one by one, and object ids stay strings. `$1` and `$2` are JSON
 * arrays of schema names. They run with an empty search path, so that every name that Postgres prints is qualified.
 */

/** Voids the search path until the end of the transaction. */
export const emptySearchPath = `select set_config('search_path', '', true) as fact`

/**
 * Types that a column, a parameter or a result can have: everything but row types of tables and their arrays, and those
 * too where the exposed schemas use them.
 * [oid, schema, name, text, kind, element, base, typmod, labels, [schema, name] of the relation whose row it is]
 */
export const listTypes = `
with exposed as (
  select n.oid from pg_namespace n where n.nspname in (select json_array_elements_text($1::json))
),
used as (
  select unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]) || p.prorettype) as oid
  from pg_proc p
  where p.pronamespace in (select oid from exposed)
  union
  select a.atttypid
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid
  where c.relnamespace in (select oid from exposed) and a.attnum > 0 and not a.attisdropped
)
select json_build_array(
  t.oid, n.nspname, t.typname, t.oid::regtype::text, t.typtype,
  case when t.typcategory = 'A' then t.typelem else 0 end,
  t.typbasetype, t.typtypmod,
  case when t.typtype = 'e' then
    (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid)
  end,
  case when row_class.relkind in ('r', 'p', 'v', 'm', 'f') then json_build_array(n.nspname, row_class.relname) end
)::text as fact
from pg_type t
join pg_namespace n on n.oid = t.typnamespace
left join pg_class row_class on row_class.oid = t.typrelid
left join pg_type element on element.oid = t.typelem
left join pg_class element_class on element_class.oid = element.typrelid
where coalesce(row_class.relkind, element_class.relkind, 'c') = 'c'
  or t.oid in (select oid from used)
  or t.typarray in (select oid from used)`

/**
 * Relations of the exposed schemas; a partition is not one of its own.
 * [oid, schema, name, kind, comment, events, columns], where events is a bit mask (4 update, 8 insert, 16 delete) and a
 * column is [attnum, name, comment, not null, type, typmod, type with typmod, default, identity, generated, updatable].
 * A default names no column, so its expression is printed without a relation, which takes a tenth of the time.
 */
export const listRelations = `
with chosen as (
  select c.oid, n.nspname, c.relname, c.relkind,
    case
      when c.relkind in ('r', 'p') then 28
      when c.relkind = 'm' then 0
      else pg_relation_is_updatable(c.oid, true)
    end as events
  from pg_class c
  join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in (select json_array_elements_text($1::json))
    and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and not c.relispartition
),
columns as (
  select a.attrelid,
    json_agg(json_build_array(
      a.attnum, a.attname, d.description,
      a.attnotnull or t.typtype = 'd' and t.typnotnull,
      a.atttypid, a.atttypmod,
      case when a.atttypmod >= 0 then format_type(a.atttypid, a.atttypmod) end,
      case
        when a.attgenerated <> '' then null
        when a.attidentity = 'd' then 'nextval(' || quote_literal(own.objid::regclass::text) || '::regclass)'
        when def.adbin is not null then pg_get_expr(def.adbin, 0)
        when t.typtype = 'd' then pg_get_expr(t.typdefaultbin, 0)
      end,
      a.attidentity, a.attgenerated <> '',
      case
        when chosen.relkind in ('r', 'p') then a.attgenerated = '' and a.attidentity <> 'a'
        when chosen.events & 4 = 4 then pg_column_is_updatable(a.attrelid, a.attnum, true)
        else false
      end
    ) order by a.attnum) as columns
  from chosen
  join pg_attribute a on a.attrelid = chosen.oid and a.attnum > 0 and not a.attisdropped
  join pg_type t on t.oid = a.atttypid
  left join pg_attrdef def on def.adrelid = a.attrelid and def.adnum = a.attnum
  left join pg_description d
    on d.objoid = a.attrelid and d.objsubid = a.attnum and d.classoid = 'pg_class'::regclass
  left join pg_depend own
    on a.attidentity <> '' and own.refclassid = 'pg_class'::regclass and own.refobjid = a.attrelid
    and own.refobjsubid = a.attnum and own.classid = 'pg_class'::regclass and own.deptype = 'i'
  group by a.attrelid
)
select json_build_array(
  chosen.oid, chosen.nspname, chosen.relname, chosen.relkind, d.description, chosen.events,
  coalesce(columns.columns, '[]'::json)
)::text as fact
from chosen
left join columns on columns.attrelid = chosen.oid
left join pg_description d on d.objoid = chosen.oid and d.objsubid = 0 and d.classoid = 'pg_class'::regclass
order by chosen.nspname, chosen.relname`

/**
 * Keys of all schemas (views of exposed schemas often stand on private tables); those that a partition inherits are
 * left out, and of not-null constraints only the ones that old rows may violate are listed. [p | u | f | n, name,
 * table, columns, referenced table, referenced columns]
 */
export const listKeys = `
select json_build_array(k.contype, k.conname, k.conrelid, k.conkey, k.confrelid, k.confkey)::text as fact
from pg_constraint k
join pg_namespace n on n.oid = k.connamespace
where k.conrelid <> 0
  and n.nspname not in ('pg_catalog', 'information_schema')
  and (k.contype in ('p', 'u') or k.contype = 'f' and k.conparentid = 0 or k.contype = 'n' and not k.convalidated)
order by k.conrelid, k.conname`

/** The stored query of each view of the exposed schemas and the extra search path: [oid, node tree]. */
export const listViews = `
select json_build_array(c.oid, r.ev_action::text)::text as fact
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_rewrite r on r.ev_class = c.oid and r.ev_type = '1'
where c.relkind in ('v', 'm')
  and n.nspname in (
    select json_array_elements_text($1::json) union all select json_array_elements_text($2::json)
  )`

/** The not-null columns of tables that views may show without their schema being exposed: [table, columns]. */
export const listNotNullColumns = `
select json_build_array(a.attrelid, json_agg(a.attnum))::text as fact
from pg_attribute a
join pg_type t on t.oid = a.atttypid
where a.attnum > 0 and (a.attnotnull or t.typtype = 'd' and t.typnotnull)
  and a.attrelid in (
    select d.refobjid
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_rewrite r on r.ev_class = c.oid
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
    where c.relkind in ('v', 'm')
      and n.nspname in (
        select json_array_elements_text($1::json) union all select json_array_elements_text($2::json)
      )
  )
group by a.attrelid`

/**
 * Functions of the exposed schemas.
 * [schema, name, comment, argument types, modes, names, number of defaults, variadic, result, set, rows, volatility,
 * settings]
 */
export const listRoutines = `
select json_build_array(
  n.nspname, p.proname, d.description,
  coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargmodes, p.proargnames, p.pronargdefaults,
  p.provariadic <> 0, p.prorettype, p.proretset, p.prorows, p.provolatile, p.proconfig
)::text as fact
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
left join pg_description d on d.objoid = p.oid and d.objsubid = 0 and d.classoid = 'pg_proc'::regclass
where n.nspname in (select json_array_elements_text($1::json))
  and p.prokind = 'f'
  and p.prorettype <> 'trigger'::regtype`

/**
 * Functions of one row of a relation that return rows of a relation: [schema, name, from, to, to one]. They may live in
 * any schema.
 */
export const listComputedRelationships = `
select json_build_array(n.nspname, p.proname, source.oid, target.oid, not p.proretset or p.prorows = 1)::text as fact
from pg_proc p
join pg_namespace n on n.oid = p.pronamespace
join pg_type argument on argument.oid = p.proargtypes[0]
join pg_class source on source.oid = argument.typrelid and source.relkind in ('r', 'p', 'v', 'm', 'f')
join pg_type result on result.oid = p.prorettype
join pg_class target on target.oid = result.typrelid and target.relkind in ('r', 'p', 'v', 'm', 'f')
where p.pronargs = 1
order by n.nspname, p.proname`

/** Implicit casts by function between a domain and json or text: [from, to, schema, function]. */
export const listRepresentations = `
select json_build_array(c.castsource::regtype::text, c.casttarget::regtype::text, n.nspname, p.proname)::text as fact
from pg_cast c
join pg_type source on source.oid = c.castsource
join pg_type target on target.oid = c.casttarget
join pg_proc p on p.oid = c.castfunc
join pg_namespace n on n.oid = p.pronamespace
where c.castcontext = 'i'
  and c.castmethod = 'f'
  and (
    source.typtype = 'd' and c.casttarget in ('json'::regtype, 'text'::regtype)
    or target.typtype = 'd' and c.castsource in ('json'::regtype, 'text'::regtype)
  )
  and has_function_privilege(p.oid, 'execute')`

/**
 * Aggregates over a relation's rows (or over any element) and plain functions whose result is a domain that is named
 * like a media type: [media type, schema, name, aggregate | function, [schema, name] of the relation].
 */
export const listMediaHandlers = `
select json_build_array(
  lower(media.typname), n.nspname, p.proname,
  case p.prokind when 'a' then 'aggregate' else 'function' end,
  case when p.prokind = 'a' and c.oid is not null then json_build_array(cn.nspname, c.relname) end,
  media.typbasetype = 'bytea'::regtype
)::text as fact
from pg_type media
join pg_proc p on p.prorettype = media.oid
join pg_namespace n on n.oid = p.pronamespace
left join pg_type argument on argument.oid = p.proargtypes[0]
left join pg_class c on c.oid = argument.typrelid and c.relkind in ('r', 'p', 'v', 'm', 'f')
left join pg_namespace cn on cn.oid = c.relnamespace
where media.typtype = 'd'
  and (media.typname = '*/*' or media.typname ~ '^[A-Za-z0-9.-]+/[A-Za-z0-9.+-]+$')
  and n.nspname in (select json_array_elements_text($1::json))
  and (
    p.prokind = 'f' and not p.proretset
    or p.prokind = 'a' and p.pronargs = 1 and (c.oid is not null or argument.oid = 'anyelement'::regtype)
  )
order by n.nspname, p.proname`

/**
 * PostGIS' function from a row to a GeoJSON feature: [schema, name]. It is found wherever the extension was installed;
 * before PostGIS 3 there is none that takes a row.
 */
export const findGeoJson = `
select json_build_array(n.nspname, p.proname)::text as fact
from pg_extension e
join pg_namespace n on n.oid = e.extnamespace
join pg_proc p on p.pronamespace = n.oid and p.proname = 'st_asgeojson' and p.proargtypes[0] = 'record'::regtype
where e.extname = 'postgis'
limit 1`

/** Composite types that are not rows of a relation: [schema, name, [[attribute, type, type with typmod]]]. */
export const listCompositeTypes = `
select json_build_array(
  n.nspname, c.relname,
  coalesce((
    select json_agg(json_build_array(
      a.attname, a.atttypid, case when a.atttypmod >= 0 then format_type(a.atttypid, a.atttypmod) end
    ) order by a.attnum)
    from pg_attribute a
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ), '[]'::json)
)::text as fact
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'c' and n.nspname not in ('pg_catalog', 'information_schema')
order by n.nspname, c.relname`

/** [schema, comment] of the exposed schemas that have one. */
export const listSchemaComments = `
select json_build_array(n.nspname, d.description)::text as fact
from pg_namespace n
join pg_description d on d.objoid = n.oid and d.classoid = 'pg_namespace'::regclass
where n.nspname in (select json_array_elements_text($1::json))`

/**
 * [role, "name=value"] of the roles that the current one may become, as far as it may set these parameters itself.
 * Settings of a role in one database only are not considered.
 */
export const listRoleSettings = `
select json_build_array(r.rolname, own.line)::text as fact
from pg_roles r
cross join lateral unnest(r.rolconfig) as own (line)
join pg_settings s on s.name = split_part(own.line, '=', 1)
where r.rolname <> current_user
  and pg_has_role(current_user, r.oid, 'member')
  and (s.context = 'user' or has_parameter_privilege(current_user, s.name, 'set'))
order by r.rolname, s.name`

/** "pgrst.name=value" of the current role; those for this database come last and therefore win. */
export const listInDatabaseConfig = `
select to_json(own.line)::text as fact
from pg_db_role_setting s
cross join lateral unnest(s.setconfig) as own (line)
where s.setrole = (select oid from pg_roles where rolname = current_user)
  and s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
  and starts_with(own.line, 'pgrst.')
order by s.setdatabase`

/** [name, value] of the settings `pgrst.<name>` that hold in this transaction, of those asked for. */
export const listDeclared = `
select json_build_array(own.name, current_setting('pgrst.' || own.name, true))::text as fact
from json_array_elements_text($1::json) as own (name)
where current_setting('pgrst.' || own.name, true) <> ''`

export const listTimezones = `select to_json(name)::text as fact from pg_timezone_names`

export const findServerVersion = `select current_setting('server_version_num') as fact`

/** Whether Citus is there: true or false. */
export const findCitus = `select to_json(to_regclass('pg_catalog.pg_dist_partition') is not null)::text as fact`

/** [schema, name, column] of the tables that Citus spreads by a column. */
export const listShardKeys = `
select json_build_array(n.nspname, c.relname, column_to_column_name(d.logicalrelid, d.partkey))::text as fact
from pg_dist_partition d
join pg_class c on c.oid = d.logicalrelid
join pg_namespace n on n.oid = c.relnamespace
where d.partmethod = 'h'`
