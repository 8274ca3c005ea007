-- Lists of a bucket, one level at a time. Folders are not rows: they are the common beginnings of names, and a walk
-- jumps over each of them with one index seek, so a list costs what it returns, however many objects lie deeper. All
-- of them read as the caller: a list shows what the policies on storage.objects let through.
set local search_path = '';
set local role supabase_storage_admin;

-- Returns at most `count` files and folders below `prefix`, in byte order of their names (of the lower-cased names when
-- `fold_case`), beginning behind `after` ('' for the start; folded walks have no cursor). A folder has no id, and its
-- name no delimiter at the end.
-- chr(1114111) is the last code point: no name that begins with x sorts behind x || chr(1114111).
create or replace function storage.walk_objects(
  bucket text, prefix text, delimiter text, after text, count integer, descending boolean, fold_case boolean
) returns table (
  name text, id uuid, metadata jsonb, updated_at timestamptz, created_at timestamptz, last_accessed_at timestamptz
)
language plpgsql stable set search_path = '' as $$
#variable_conflict use_column
declare
  lower_bound constant text := case when fold_case then lower(prefix) else prefix end;
  upper_bound constant text := lower_bound || chr(1114111);
  walk_from text := case when descending then upper_bound else lower_bound end;
  walk refcursor;
  found_object record;
  delimiter_at integer;
  folder text;
  jumped boolean := true;
begin
  if after <> '' then
    -- A cursor that names a folder stands for all that is in it.
    if delimiter <> '' and right(after, length(delimiter)) <> delimiter and exists (
      select from storage.objects as o
      where o.bucket_id = bucket and o.name collate "C" >= after || delimiter
        and o.name collate "C" < after || delimiter || chr(1114111)
    ) then
      after := after || delimiter;
    end if;
    if descending then
      walk_from := least(walk_from collate "C", after);
    elsif delimiter <> '' and right(after, length(delimiter)) = delimiter then
      walk_from := greatest(walk_from collate "C", after || chr(1114111));
    else
      walk_from := greatest(walk_from collate "C", after);
    end if;
  end if;

  while count > 0 and jumped loop
    jumped := false;
    case
      when fold_case and descending then
        open walk for
          select o.name, o.id, o.metadata, o.updated_at, o.created_at, o.last_accessed_at
          from storage.objects as o
          where o.bucket_id = bucket
            and lower(o.name) collate "C" < walk_from and lower(o.name) collate "C" >= lower_bound
          order by lower(o.name) collate "C" desc limit count;
      when fold_case then
        open walk for
          select o.name, o.id, o.metadata, o.updated_at, o.created_at, o.last_accessed_at
          from storage.objects as o
          where o.bucket_id = bucket
            and lower(o.name) collate "C" >= walk_from and lower(o.name) collate "C" < upper_bound
          order by lower(o.name) collate "C" limit count;
      when descending then
        open walk for
          select o.name, o.id, o.metadata, o.updated_at, o.created_at, o.last_accessed_at
          from storage.objects as o
          where o.bucket_id = bucket and o.name collate "C" < walk_from and o.name collate "C" >= lower_bound
          order by o.name collate "C" desc limit count;
      else
        open walk for
          select o.name, o.id, o.metadata, o.updated_at, o.created_at, o.last_accessed_at
          from storage.objects as o
          where o.bucket_id = bucket and o.name collate "C" >= walk_from and o.name collate "C" < upper_bound
            and o.name <> after
          order by o.name collate "C" limit count;
    end case;
    loop
      fetch walk into found_object;
      exit when not found;
      count := count - 1;
      delimiter_at := case when delimiter = '' then 0
        else strpos(substr(found_object.name, length(prefix) + 1), delimiter) end;
      if delimiter_at = 0 then
        name := found_object.name;
        id := found_object.id;
        metadata := found_object.metadata;
        updated_at := found_object.updated_at;
        created_at := found_object.created_at;
        last_accessed_at := found_object.last_accessed_at;
        return next;
      else
        name := left(found_object.name, length(prefix) + delimiter_at - 1);
        id := null;
        metadata := null;
        updated_at := null;
        created_at := null;
        last_accessed_at := null;
        return next;
        folder := name || delimiter;
        walk_from := case when fold_case then lower(folder) else folder end
          || case when descending then '' else chr(1114111) end;
        jumped := true;
        exit;
      end if;
    end loop;
    close walk;
  end loop;
end
$$;
comment on function storage.walk_objects(text, text, text, text, integer, boolean, boolean) is
  'One level of a bucket: what the lists below are made of.';

create or replace function storage.list_objects_with_delimiter(
  _bucket_id text, prefix_param text, delimiter_param text, max_keys integer default 100,
  start_after text default '', next_token text default '', sort_order text default 'asc'
) returns table (
  name text, id uuid, metadata jsonb, updated_at timestamptz, created_at timestamptz, last_accessed_at timestamptz
)
language sql stable as $$
  select walk.name, walk.id, walk.metadata, walk.updated_at, walk.created_at, walk.last_accessed_at
  from storage.walk_objects(
    _bucket_id, coalesce(prefix_param, ''), coalesce(delimiter_param, ''),
    coalesce(nullif(next_token, ''), start_after, ''), max_keys,
    lower(coalesce(sort_order, 'asc')) <> 'asc', false
  ) as walk
$$;
comment on function storage.list_objects_with_delimiter(text, text, text, integer, text, text, text) is
  'Files and folders below a prefix in byte order of their full names; goes on behind next_token, else start_after.';

-- Folders have no time of their own: theirs is that of their first object.
create or replace function storage.search_by_timestamp(
  p_prefix text, p_bucket_id text, p_limit integer, p_level integer, p_start_after text,
  p_sort_order text, p_sort_column text, p_sort_column_after text
) returns table (
  key text, name text, id uuid, updated_at timestamptz, created_at timestamptz, last_accessed_at timestamptz,
  metadata jsonb
)
language plpgsql stable set search_path = '' as $$
begin
  return query execute format(
    $query$
      with level as (
        select
          case when tail.delimiter_at = 0 then o.name
            else left(o.name, length($1) + tail.delimiter_at - 1) end as name,
          tail.delimiter_at > 0 as is_folder,
          o.id, o.updated_at, o.created_at, o.last_accessed_at, o.metadata
        from storage.objects as o
        cross join lateral (select strpos(substr(o.name, length($1) + 1), '/') as delimiter_at) as tail
        where o.bucket_id = $2 and o.name collate "C" >= $1 and o.name collate "C" < $1 || chr(1114111)
      ),
      entries as (
        select name, id, updated_at, created_at, last_accessed_at, metadata from level where not is_folder
        union all
        select name, null, min(created_at), min(created_at), null, null from level where is_folder group by name
      ),
      timed as (
        select *, coalesce(date_trunc('milliseconds', %1$I), 'epoch') as sort_time from entries
      )
      select split_part(name, '/', $3), name, id, updated_at, created_at, last_accessed_at, metadata
      from timed
      where $5 = ''
        or (sort_time, name collate "C") %2$s (coalesce(nullif($6, '')::timestamptz, 'epoch'), $5)
      order by sort_time %3$s, name collate "C" %3$s
      limit $4
    $query$,
    case lower(p_sort_column) when 'updated_at' then 'updated_at' else 'created_at' end,
    case lower(p_sort_order) when 'asc' then '>' else '<' end,
    case lower(p_sort_order) when 'asc' then 'asc' else 'desc' end
  ) using coalesce(p_prefix, ''), p_bucket_id, p_level, p_limit, coalesce(p_start_after, ''), p_sort_column_after;
end
$$;
comment on function storage.search_by_timestamp(text, text, integer, integer, text, text, text, text) is
  'Files and folders below a prefix by time. Reads all objects below it.';

create or replace function storage.search_v2(
  prefix text, bucket_name text, limits integer default 100, levels integer default 1, start_after text default '',
  sort_order text default 'asc', sort_column text default 'name', sort_column_after text default ''
) returns table (
  key text, name text, id uuid, updated_at timestamptz, created_at timestamptz, last_accessed_at timestamptz,
  metadata jsonb
)
language plpgsql stable set search_path = '' as $$
declare
  page_max constant integer := 1500;
  page constant integer := least(coalesce(limits, 100), page_max);
  direction constant text := case when lower(sort_order) = 'desc' then 'desc' else 'asc' end;
begin
  if lower(sort_column) in ('updated_at', 'created_at') then
    return query
      select found_entry.key, found_entry.name, found_entry.id, found_entry.updated_at, found_entry.created_at,
        found_entry.last_accessed_at, found_entry.metadata
      from storage.search_by_timestamp(
        prefix, bucket_name, page, levels, start_after, direction, sort_column, sort_column_after) as found_entry;
  else
    return query
      select split_part(walk.name, '/', levels), walk.name, walk.id, walk.updated_at, walk.created_at,
        walk.last_accessed_at, walk.metadata
      from storage.walk_objects(
        bucket_name, coalesce(prefix, ''), '/', coalesce(start_after, ''), page, direction = 'desc', false) as walk;
  end if;
end
$$;
comment on function storage.search_v2(text, text, integer, integer, text, text, text, text) is
  'Files and folders below a prefix by name or time, page by page behind (start_after, sort_column_after).';

-- The older search: without regard to case, pages by offset, names without the prefix, folders first when sorted by
-- time.
create or replace function storage.search(
  prefix text, bucketname text, limits integer default 100, levels integer default 1, offsets integer default 0,
  search text default '', sortcolumn text default 'name', sortorder text default 'asc'
) returns table (
  name text, id uuid, updated_at timestamptz, created_at timestamptz, last_accessed_at timestamptz, metadata jsonb
)
language plpgsql stable set search_path = '' as $$
declare
  page_max constant integer := 1500;
  page constant integer := least(coalesce(limits, 100), page_max);
  wanted constant text := coalesce(prefix, '') || coalesce(search, '');
  name_start constant integer := length(coalesce(prefix, '')) + 1;
  direction constant text := case when lower(sortorder) = 'desc' then 'desc' else 'asc' end;
begin
  if lower(sortcolumn) not in ('updated_at', 'created_at', 'last_accessed_at') then
    return query
      select substr(walk.name, name_start), walk.id, walk.updated_at, walk.created_at, walk.last_accessed_at,
        walk.metadata
      from storage.walk_objects(
        bucketname, wanted, '/', '', page + coalesce(offsets, 0), direction = 'desc', true) as walk
      offset offsets;
    return;
  end if;
  return query execute format(
    $query$
      with level as (
        select
          case when tail.delimiter_at = 0 then o.name
            else left(o.name, length($1) + tail.delimiter_at - 1) end as name,
          tail.delimiter_at > 0 as is_folder,
          o.id, o.updated_at, o.created_at, o.last_accessed_at, o.metadata
        from storage.objects as o
        cross join lateral (select strpos(substr(o.name, length($1) + 1), '/') as delimiter_at) as tail
        where o.bucket_id = $2
          and lower(o.name) collate "C" >= lower($1) and lower(o.name) collate "C" < lower($1) || chr(1114111)
      )
      (
        select distinct on (name collate "C") substr(name, $3), null::uuid, null::timestamptz, null::timestamptz,
          null::timestamptz, null::jsonb
        from level where is_folder
        order by name collate "C" %2$s
      )
      union all
      (
        select substr(name, $3), id, updated_at, created_at, last_accessed_at, metadata
        from level where not is_folder
        order by %1$I %2$s, name collate "C" %2$s
      )
      limit $4 offset $5
    $query$,
    lower(sortcolumn), direction
  ) using wanted, bucketname, name_start, page, offsets;
end
$$;
comment on function storage.search(text, text, integer, integer, integer, text, text, text) is
  'Files and folders below a prefix without regard to case, page by page with an offset.';

reset role;
