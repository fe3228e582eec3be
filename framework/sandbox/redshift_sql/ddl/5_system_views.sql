-- Redshift's system views over PostgreSQL's catalog and the side tables. A user sees what it has a right to.

-- A view's columns keep their types; these were once of a type that holds 63 bytes.
do $$ begin
    if 'name'::regtype = (
        select atttypid from pg_attribute where attrelid = to_regclass('pg_sandbox.relation') and attname = 'relname'
    ) then
        drop view pg_sandbox.relation, pg_internal.pg_class_info cascade;
    end if;
end $$;

create or replace view pg_sandbox.pg_class as
select
    oid, pg_sandbox.full_name(relname) as relname, relnamespace, reltype, relowner, relam, relfilenode, reltablespace, relpages,
    reltuples, reltoastrelid, relhasindex, relisshared, relkind, relnatts, relchecks, relhasrules, relhassubclass, relacl
from pg_catalog.pg_class;

create or replace view pg_sandbox.pg_attribute as
select
    attrelid, pg_sandbox.full_name(attname) as attname, atttypid, attstattarget, attlen, attnum, attndims, atttypmod, attbyval,
    attstorage, attalign, attnotnull, atthasdef, attisdropped, attislocal, attinhcount
from pg_catalog.pg_attribute;

create or replace view pg_sandbox.pg_namespace as
select oid, pg_sandbox.full_name(nspname) as nspname, nspowner, nspacl
from pg_catalog.pg_namespace;

create or replace view pg_sandbox.pg_tables as
select
    pg_sandbox.full_name(schemaname) as schemaname, pg_sandbox.full_name(tablename) as tablename, tableowner, tablespace,
    hasindexes, hasrules, hastriggers
from pg_catalog.pg_tables;

create or replace view pg_sandbox.relation as
select
    c.oid, pg_sandbox.full_name(n.nspname) as nspname, pg_sandbox.full_name(c.relname) as relname, c.relkind, c.relowner, c.relpersistence, c.relacl, n.oid as namespace,
    coalesce(d.late_binding, false) as late_binding, d.statement
from pg_catalog.pg_class as c
inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
left join pg_sandbox.view_definition as d on d.relation = c.oid
where
    c.relkind in ('r', 'v')
    and ((n.nspname !~ '^pg_' and n.nspname <> 'information_schema') or n.oid = pg_my_temp_schema())
    and (
        pg_has_role(c.relowner, 'usage')
        or has_table_privilege(c.oid, 'select, insert, update, delete, references')
        or has_any_column_privilege(c.oid, 'select, update')
    );

-- Source: https://docs.aws.amazon.com/redshift/latest/dg/c_Compression_encodings.html
create or replace function pg_sandbox.encoding(persistence "char", type_id oid, sortkey integer, stated text) returns text
language sql immutable as $$
    select case
        when stated is not null then stated
        when persistence = 't' or sortkey > 0 then 'none'
        when type_id in ('bool'::regtype, 'float4'::regtype, 'float8'::regtype) then 'none'
        when type_id in ('varchar'::regtype, 'bpchar'::regtype, 'pg_internal.varbyte'::regtype) then 'lzo'
        when type_id in ('pg_internal.super'::regtype, 'pg_internal.geometry'::regtype) then 'none'
        when type_id in ('pg_internal.geography'::regtype, 'pg_internal.hllsketch'::regtype) then 'none'
        else 'az64'
    end
$$;

-- The window is partitioned by the names too, so that a condition on them is applied before it.
create or replace view pg_sandbox.relation_column as
select
    r.oid, r.nspname, r.relname, r.relkind, pg_sandbox.full_name(a.attname) as attname, a.attnum, a.atttypid, a.atttypmod, a.attnotnull, a.attacl,
    row_number() over (partition by r.oid, r.nspname, r.relname order by a.attnum)::integer as ordinal_position,
    pg_get_expr(e.adbin, e.adrelid) as column_default,
    pg_sandbox.encoding(r.relpersistence, a.atttypid, coalesce(d.sortkey, 0), d.encoding) as encoding,
    coalesce(d.distkey, false) as distkey,
    coalesce(d.sortkey, 0) as sortkey,
    col_description(r.oid, a.attnum) as remarks
from pg_sandbox.relation as r
inner join pg_catalog.pg_attribute as a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
left join pg_catalog.pg_attrdef as e on e.adrelid = a.attrelid and e.adnum = a.attnum
left join pg_sandbox.column_design as d on d.relation = a.attrelid and d.attnum = a.attnum
where not r.late_binding;

create or replace view pg_internal.svv_tables as
select
    current_database()::varchar(128) as table_catalog,
    nspname::varchar(128) as table_schema,
    relname::varchar(128) as table_name,
    case when relkind = 'v' then 'VIEW' when relpersistence = 't' then 'LOCAL TEMPORARY' else 'BASE TABLE' end::varchar(128) as table_type,
    obj_description(oid, 'pg_class')::varchar(128) as remarks
from pg_sandbox.relation;

create or replace view pg_internal.svv_columns as
select
    current_database()::varchar(128) as table_catalog,
    nspname::varchar(128) as table_schema,
    relname::varchar(128) as table_name,
    attname::varchar(128) as column_name,
    ordinal_position,
    column_default::varchar(4000) as column_default,
    case when attnotnull then 'NO' else 'YES' end::varchar(3) as is_nullable,
    pg_sandbox.type_text(atttypid, null)::varchar(128) as data_type,
    case
        when atttypid = 'pg_internal.varbyte'::regtype then atttypmod - 4
        else information_schema._pg_char_max_length(atttypid, atttypmod)
    end as character_maximum_length,
    information_schema._pg_numeric_precision(atttypid, atttypmod) as numeric_precision,
    information_schema._pg_numeric_precision_radix(atttypid, atttypmod) as numeric_precision_radix,
    information_schema._pg_numeric_scale(atttypid, atttypmod) as numeric_scale,
    information_schema._pg_datetime_precision(atttypid, atttypmod) as datetime_precision,
    null::varchar(128) as interval_type,
    null::varchar(128) as interval_precision,
    null::varchar(128) as character_set_catalog,
    null::varchar(128) as character_set_schema,
    null::varchar(128) as character_set_name,
    null::varchar(128) as collation_catalog,
    null::varchar(128) as collation_schema,
    null::varchar(128) as collation_name,
    null::varchar(128) as domain_name,
    remarks::varchar(256) as remarks
from pg_sandbox.relation_column;

create or replace view pg_internal.svv_redshift_columns as
select
    current_database()::varchar(128) as database_name,
    nspname::varchar(128) as schema_name,
    relname::varchar(128) as table_name,
    attname::varchar(128) as column_name,
    ordinal_position,
    pg_sandbox.type_text(atttypid, atttypmod)::varchar(128) as data_type,
    column_default::varchar(4000) as column_default,
    case when attnotnull then 'NO' else 'YES' end::varchar(3) as is_nullable,
    encoding::varchar(128) as encoding,
    distkey,
    sortkey,
    attacl::text::varchar(128) as column_acl,
    remarks::varchar(256) as remarks
from pg_sandbox.relation_column;

create or replace view pg_internal.pg_table_def as
select
    nspname as schemaname, relname as tablename, attname as "column",
    pg_sandbox.type_text(atttypid, atttypmod) as type, encoding::varchar(32) as encoding, distkey, sortkey, attnotnull as "notnull"
from pg_sandbox.relation_column
where relkind = 'r' and nspname = any (current_schemas(true)::text[]);

create or replace view pg_internal.svv_relation_privileges as
select
    r.nspname::varchar(128) as namespace_name,
    r.relname::varchar(128) as relation_name,
    acl.privilege_type::varchar(128) as privilege_type,
    acl.grantee::integer as identity_id,
    coalesce(regexp_replace(g.rolname, '^(group|role):', ''), 'public')::varchar(128) as identity_name,
    coalesce(substring(g.rolname from '^(group|role):'), case when acl.grantee = 0 then 'public' else 'user' end)::varchar(16)
        as identity_type,
    acl.is_grantable as admin_option
from pg_sandbox.relation as r
cross join lateral aclexplode(r.relacl) as acl
left join pg_catalog.pg_roles as g on g.oid = acl.grantee
where acl.privilege_type in ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'REFERENCES');

create or replace view pg_internal.pg_views as
select
    nspname as schemaname, relname as viewname, pg_get_userbyid(relowner) as viewowner,
    coalesce(statement, pg_catalog.pg_get_viewdef(oid)) as definition
from pg_sandbox.relation
where relkind = 'v';

create or replace view pg_internal.pg_group as
select substr(g.rolname, 7)::name as groname, g.oid::integer as grosysid,
    array(select m.member from pg_catalog.pg_auth_members as m where m.roleid = g.oid) as grolist
from pg_catalog.pg_roles as g
where g.rolname like 'group:%';

create or replace function pg_sandbox.row_count(relation oid) returns bigint language plpgsql stable as $$
declare
    counted bigint;
begin
    execute format('select count(*) from %s', relation::regclass) into counted;
    return counted;
end $$;

create or replace view pg_internal.svv_table_info as
select
    current_database()::text as database, t.nspname::text as schema, t.oid as table_id, t.relname::text as "table",
    t.diststyle, t.sortkey1, t.tbl_rows
from (
    select
        r.nspname, r.oid, r.relname,
        coalesce(d.diststyle || coalesce('(' || k.attname || ')', ''), 'AUTO(ALL)') as diststyle,
        coalesce(s.attname::text, 'AUTO(SORTKEY)') as sortkey1,
        pg_sandbox.row_count(r.oid)::numeric(38, 0) as tbl_rows
    from pg_sandbox.relation as r
    left join (
        select relation, case diststyle when 'AUTO' then 'AUTO(ALL)' else diststyle end as diststyle from pg_sandbox.table_design
    ) as d on d.relation = r.oid
    left join pg_sandbox.relation_column as k on k.oid = r.oid and k.distkey
    left join pg_sandbox.relation_column as s on s.oid = r.oid and s.sortkey = 1
    where r.relkind = 'r' and r.relpersistence <> 't'
) as t
where t.tbl_rows > 0;

-- Source: https://docs.aws.amazon.com/redshift/latest/dg/r_PG_CLASS_INFO.html
create or replace view pg_internal.pg_class_info as
select
    c.oid, pg_sandbox.full_name(c.relname) as relname, c.relnamespace, c.relowner, c.relkind, c.relacl,
    case d.diststyle when 'EVEN' then 0 when 'KEY' then 1 when 'ALL' then 8 else 9 end::smallint as reldiststyle,
    case d.diststyle when 'EVEN' then 0 when 'KEY' then 1 when 'ALL' then 8 else 10 end::smallint as releffectivediststyle
from pg_catalog.pg_class as c
left join pg_sandbox.table_design as d on d.relation = c.oid;

create or replace view pg_internal.stv_db_isolation_level as
select current_database()::varchar(128) as db_name, 'Snapshot Isolation'::varchar(128) as isolation_level;

-- The texts are cut and padded to the lengths of
-- https://docs.aws.amazon.com/redshift/latest/dg/SYS_LOAD_ERROR_DETAIL.html; of Parquet no line is known.
create or replace view pg_internal.sys_load_error_detail as
select
    u.usesysid::integer as user_id,
    e.query_id,
    0::bigint as transaction_id,
    e.session_id,
    current_database()::char(64) as database_name,
    0 as table_id,
    e.start_time,
    e.file_name::char(256) as file_name,
    0::bigint as line_number,
    e.column_name::char(127) as column_name,
    e.column_type::char(10) as column_type,
    e.column_length::char(10) as column_length,
    0 as position,
    e.error_code,
    e.error_message::char(512) as error_message
from pg_sandbox.load_error as e
inner join pg_catalog.pg_user as u on u.usename = e.user_name
where e.user_name = current_user;

create or replace view pg_sandbox.information_schema_tables as
select table_catalog, table_schema, table_name, table_type from pg_internal.svv_tables;

create or replace view pg_sandbox.information_schema_columns as
select
    table_catalog, table_schema, table_name, column_name, ordinal_position, column_default, is_nullable, data_type,
    character_maximum_length, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision
from pg_internal.svv_columns;

create or replace view pg_sandbox.information_schema_views as
select
    current_database()::varchar(128) as table_catalog, schemaname::varchar(128) as table_schema,
    viewname::varchar(128) as table_name, definition as view_definition
from pg_internal.pg_views;

create or replace view pg_sandbox.information_schema_schemata as
select
    current_database()::varchar(128) as catalog_name, pg_sandbox.full_name(nspname)::varchar(128) as schema_name,
    pg_get_userbyid(nspowner)::varchar(128) as schema_owner
from pg_catalog.pg_namespace
where nspname !~ '^pg_' and nspname <> 'information_schema';

create or replace view pg_sandbox.information_schema_table_constraints as
select
    current_database()::varchar(128) as constraint_catalog, r.nspname::varchar(128) as constraint_schema,
    k.name::varchar(128) as constraint_name, current_database()::varchar(128) as table_catalog,
    r.nspname::varchar(128) as table_schema, r.relname::varchar(128) as table_name,
    k.kind::varchar(128) as constraint_type, 'NO'::varchar(3) as is_deferrable, 'NO'::varchar(3) as initially_deferred
from pg_sandbox.table_key as k
inner join pg_sandbox.relation as r on r.oid = k.relation;

create or replace view pg_sandbox.information_schema_key_column_usage as
select
    current_database()::varchar(128) as constraint_catalog, r.nspname::varchar(128) as constraint_schema,
    k.name::varchar(128) as constraint_name, current_database()::varchar(128) as table_catalog,
    r.nspname::varchar(128) as table_schema, r.relname::varchar(128) as table_name,
    pg_sandbox.full_name(a.attname)::varchar(128) as column_name, u.place::integer as ordinal_position
from pg_sandbox.table_key as k
inner join pg_sandbox.relation as r on r.oid = k.relation
cross join lateral unnest(k.attnums) with ordinality as u (attnum, place)
inner join pg_catalog.pg_attribute as a on a.attrelid = k.relation and a.attnum = u.attnum and not a.attisdropped;

grant select on all tables in schema pg_internal, pg_sandbox to public;

-- PostgreSQL never analyses so small a catalog by itself, and planned joins with it for one row, as before the schemas
-- above were created.
analyze pg_catalog.pg_namespace;
