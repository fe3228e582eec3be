-- Late-binding views are views without meaning, for their name, owner, comment and grants; what they select stands in
-- the side table, and takes their place in every query before PostgreSQL sees it.

create or replace function pg_internal.late_binding_view(schema_name text, view_name text) returns text
language sql stable as $$
    select d.query
    from pg_catalog.pg_class as c
    inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    inner join pg_sandbox.view_definition as d on d.relation = c.oid and d.late_binding
    where n.nspname = schema_name and c.relname = view_name
$$;

create or replace procedure pg_internal.create_late_binding_view(
    schema_name text, view_name text, replace_old boolean, named_schemas text[], new_query text, new_statement text
) language plpgsql as $$
declare
    view_id regclass := to_regclass(format('%I.%I', schema_name, view_name));
    missing text := (select s from unnest(named_schemas) as s where to_regnamespace(quote_ident(s)) is null limit 1);
begin
    if missing is not null then
        raise invalid_schema_name using message = format('schema "%s" does not exist', missing);
    end if;
    if view_id is not null and not replace_old then
        raise duplicate_table using message = format('relation "%s" already exists', view_name);
    end if;
    if view_id is not null and pg_internal.late_binding_view(schema_name, view_name) is null then
        raise feature_not_supported using message = 'Replacing a bound view or a table by a late-binding view is not supported by the sandbox';
    end if;
    if view_id is null then
        execute format('create view %I.%I as select null::integer as late_binding', schema_name, view_name);
        view_id := to_regclass(format('%I.%I', schema_name, view_name));
    end if;
    insert into pg_sandbox.view_definition as d (relation, late_binding, query, statement)
    values (view_id, true, new_query, new_statement)
    on conflict (relation) do update set query = excluded.query, statement = excluded.statement;
end $$;

create or replace procedure pg_internal.before_replacing_view(schema_name text, view_name text)
language plpgsql as $$
declare
    columns integer := (
        select c.relnatts from pg_catalog.pg_class as c
        where c.oid = to_regclass(format('%I.%I', schema_name, view_name))
    );
begin
    if pg_internal.late_binding_view(schema_name, view_name) is not null then
        raise feature_not_supported using message = 'Replacing a late-binding view by a bound one is not supported by the sandbox';
    end if;
    perform set_config('pg_sandbox.view_columns', coalesce(columns::text, ''), true);
end $$;

create or replace function pg_internal.refuse_change_of_view() returns trigger language plpgsql as $$
begin
    raise object_not_in_prerequisite_state using message =
        case tg_op when 'INSERT' then 'cannot insert into a view' when 'UPDATE' then 'cannot update a view'
            else 'cannot delete from a view' end;
end $$;

-- CREATE OR REPLACE VIEW keeps the columns as they are; PostgreSQL would let columns be appended.
-- Source: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
create or replace procedure pg_internal.view_created(view_id regclass, new_query text) language plpgsql as $$
declare
    before text := current_setting('pg_sandbox.view_columns', true);
    after integer := (select c.relnatts from pg_catalog.pg_class as c where c.oid = view_id);
begin
    perform set_config('pg_sandbox.view_columns', '', true);
    if before <> '' and before <> after::text then
        raise invalid_table_definition using message = 'cannot change number of columns in view';
    end if;
    execute format(
        'create or replace trigger refuse_change instead of insert or update or delete on %s '
        'for each row execute function pg_internal.refuse_change_of_view()', view_id);
    insert into pg_sandbox.view_definition as d (relation, late_binding, query, statement)
    values (view_id, false, new_query, new_query)
    on conflict (relation) do update set query = excluded.query, statement = excluded.statement;
end $$;

create or replace function pg_internal.pg_get_viewdef(oid) returns text language sql stable as $$
    select coalesce((select d.statement from pg_sandbox.view_definition as d where d.relation = $1), pg_catalog.pg_get_viewdef($1))
$$;
create or replace function pg_internal.pg_get_viewdef(oid, boolean) returns text
language sql stable as 'select pg_internal.pg_get_viewdef($1)';
create or replace function pg_internal.pg_get_viewdef(text) returns text
language sql stable as 'select pg_internal.pg_get_viewdef(pg_sandbox.short_names($1)::regclass::oid)';
