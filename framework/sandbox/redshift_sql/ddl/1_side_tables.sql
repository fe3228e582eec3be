-- What Redshift keeps of a relation and PostgreSQL does not. Rows go by oid and attribute number, so that they
-- follow renames; an event trigger removes them with the relation.
-- Names that begin with pg_ are for system schemas, here as on Redshift.
set allow_system_table_mods = on;
create schema if not exists pg_internal;
create schema if not exists pg_sandbox;
reset allow_system_table_mods;
grant usage on schema pg_internal, pg_sandbox to public;

create table if not exists pg_sandbox.table_design (
    relation oid primary key,
    diststyle text not null
);
create table if not exists pg_sandbox.column_design (
    relation oid not null,
    attnum smallint not null,
    encoding text,
    distkey boolean not null default false,
    sortkey integer not null default 0,
    primary key (relation, attnum)
);
create table if not exists pg_sandbox.table_key (
    relation oid not null,
    name text not null,
    kind text not null,
    attnums smallint[] not null,
    referenced oid
);
create table if not exists pg_sandbox.view_definition (
    relation oid primary key,
    late_binding boolean not null,
    query text not null,
    statement text not null
);
-- Written once the transaction of a COPY is rolled back, so that the rows outlive it.
create table if not exists pg_sandbox.load_error (
    user_name name not null default current_user,
    query_id bigint not null,
    session_id integer not null default pg_backend_pid(),
    start_time timestamp not null default now(),
    file_name text not null,
    column_name text not null,
    column_type text not null,
    column_length text not null,
    error_code integer not null,
    error_message text not null
);
-- No key: of two transactions that give a name at once, the second would wait for the first.
create table if not exists pg_sandbox.long_name (
    short text not null,
    name text not null
);
create index if not exists long_name_short on pg_sandbox.long_name (short);
grant select, insert, update, delete on all tables in schema pg_sandbox to public;

create or replace function pg_sandbox.forget_dropped() returns event_trigger
language plpgsql security definer set search_path = pg_catalog as $$
declare
    dropped record;
begin
    for dropped in
        select objid, objsubid, object_type from pg_event_trigger_dropped_objects()
        where object_type in ('table', 'view', 'table column')
    loop
        if dropped.object_type = 'table column' then
            delete from pg_sandbox.column_design where relation = dropped.objid and attnum = dropped.objsubid;
            delete from pg_sandbox.table_key where relation = dropped.objid and dropped.objsubid = any (attnums);
        else
            delete from pg_sandbox.table_design where relation = dropped.objid;
            delete from pg_sandbox.column_design where relation = dropped.objid;
            delete from pg_sandbox.table_key where relation = dropped.objid;
            delete from pg_sandbox.view_definition where relation = dropped.objid;
        end if;
    end loop;
end $$;
do $$ begin
    if not exists (select from pg_event_trigger where evtname = 'pg_sandbox_forget_dropped') then
        create event trigger pg_sandbox_forget_dropped on sql_drop
        when tag in ('DROP TABLE', 'DROP VIEW', 'DROP SCHEMA', 'ALTER TABLE')
        execute function pg_sandbox.forget_dropped();
    end if;
end $$;

-- Names of more bytes than PostgreSQL takes. One that stands for such a name has at least 54.
create or replace procedure pg_internal.remember_names(shorts text[], names text[]) language sql as $$
    insert into pg_sandbox.long_name (short, name)
    select given.short, given.name from unnest(shorts, names) as given (short, name)
    where not exists (select from pg_sandbox.long_name as l where l.short = given.short)
$$;
create or replace function pg_sandbox.find_long_name(text) returns text language sql stable parallel safe as $$
    select coalesce((select l.name from pg_sandbox.long_name as l where l.short = $1 limit 1), $1)
$$;
create or replace function pg_sandbox.full_name(name) returns text language sql stable parallel safe as $$
    select case when octet_length($1::text) >= 54 then pg_sandbox.find_long_name($1::text) else $1::text end
$$;
create or replace function pg_sandbox.short_name(text) returns text language sql stable parallel safe as $$
    select coalesce((select l.short from pg_sandbox.long_name as l where l.name = $1 limit 1), $1)
$$;
create or replace function pg_sandbox.short_names(text) returns text language sql stable parallel safe as $$
    select case when octet_length($1) > 57 then (
        select string_agg(quote_ident(pg_sandbox.short_name(p.name)), '.' order by p.place)
        from unnest(parse_ident($1)) with ordinality as p (name, place)
    ) else $1 end
$$;
