/**
 * What stands for Citus on a plain PostgreSQL: the table in which it notes what it keeps, and the functions that write
 * there, with their real parameters. They move nothing. Run as a superuser.
 */
export const stubCitus = `
  set allow_system_table_mods = on;
  create table pg_catalog.pg_dist_partition (
    logicalrelid regclass primary key, partmethod "char" not null, partkey text, colocationid int not null,
    repmodel "char" not null
  );
  create sequence pg_catalog.pg_dist_colocationid_seq;
  create function pg_catalog.column_to_column_name(table_name regclass, column_var_text text) returns text
    language sql as 'select column_var_text';
  create function pg_catalog.create_distributed_table(
    table_name regclass, distribution_column text, distribution_type text default 'hash',
    colocate_with text default 'default', shard_count int default null
  ) returns void language sql as $$
    insert into pg_catalog.pg_dist_partition
    values (table_name, 'h', distribution_column, coalesce(
      (select d.colocationid from pg_catalog.pg_dist_partition d
       where colocate_with <> 'none' and d.logicalrelid = colocate_with::regclass),
      nextval('pg_catalog.pg_dist_colocationid_seq')::int
    ), 's')
  $$;
  create function pg_catalog.create_reference_table(table_name regclass) returns void language sql as
    'insert into pg_catalog.pg_dist_partition values (table_name, ''n'', null, 0, ''t'')';
  create table pg_catalog.pg_dist_node (
    nodename text, nodeport int, noderole text, isactive bool, shouldhaveshards bool
  );
  insert into pg_catalog.pg_dist_node values ('worker.example', 5432, 'primary', true, true);
  create function pg_catalog.run_command_on_workers(command text, parallel bool default true)
    returns table (nodename text, nodeport int, success bool, result text) language sql as $$
    select 'worker.example', 5432, r.rolcanlogin,
      case when r.rolcanlogin then '1' else format('role "%s" is not permitted to log in', r.rolname) end
    from pg_roles r where r.rolname = current_user
  $$;
  create view pg_catalog.citus_shards as
    select d.logicalrelid as table_name, row_number() over (order by d.logicalrelid::oid) as shardid, n.nodename, n.nodeport,
      8192::bigint as shard_size
    from pg_catalog.pg_dist_partition d, pg_catalog.pg_dist_node n;
  create function pg_catalog.get_rebalance_table_shards_plan() returns table (shardid bigint, shard_size bigint)
    language sql as 'select null::bigint, null::bigint where false';
  grant select on pg_catalog.pg_dist_partition to public;
  reset allow_system_table_mods;`
