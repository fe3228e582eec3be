-- What a change of a table asks of the catalog, and what it leaves in the side tables.

create or replace function pg_internal.attribute(relation regclass, wanted text) returns pg_attribute
language plpgsql stable as $$
declare
    found pg_attribute;
begin
    select * into found from pg_catalog.pg_attribute as a
    where a.attrelid = relation and a.attname = wanted and a.attnum > 0 and not a.attisdropped;
    if found.attnum is null then
        raise undefined_column using message = format('column "%s" of relation "%s" does not exist', wanted,
            (select c.relname from pg_catalog.pg_class as c where c.oid = relation));
    end if;
    return found;
end $$;

create or replace procedure pg_internal.check_exists(relation regclass) language plpgsql as 'begin end';

create or replace procedure pg_internal.add_length_check(relation regclass, wanted text) language plpgsql as $$
declare
    a pg_attribute := pg_internal.attribute(relation, wanted);
begin
    if a.atttypid not in ('varchar'::regtype, 'bpchar'::regtype) or a.atttypmod < 5 then
        return;
    end if;
    -- Only a default can be too long in rows that are there already.
    execute format('alter table %s add constraint %I check (octet_length(%I) <= %s)%s', relation,
        format('bytes_%s_%s', a.attnum, format_type(a.atttypid, a.atttypmod)), wanted, a.atttypmod - 4,
        case when a.atthasdef then '' else ' not valid' end);
end $$;

-- Gives a table made by PostgreSQL itself the checks, and its texts a length.
create or replace procedure pg_internal.adopt_table(wanted regclass) language plpgsql as $$
declare
    a pg_attribute;
begin
    for a in
        select * from pg_catalog.pg_attribute as b
        where b.attrelid = wanted and b.attnum > 0 and not b.attisdropped
            and b.atttypid in ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
    loop
        if a.atttypmod < 0 then
            execute format('alter table %s alter column %I type varchar(65535)', wanted, a.attname);
        end if;
        call pg_internal.add_length_check(wanted, a.attname);
    end loop;
end $$;

create or replace procedure pg_internal.record_key(wanted regclass, key jsonb) language plpgsql as $$
declare
    columns text[] := array(select jsonb_array_elements_text(key -> 'columns'));
    relname text := (select c.relname from pg_catalog.pg_class as c where c.oid = wanted);
    suffix text := case key ->> 'kind' when 'PRIMARY KEY' then 'pkey' when 'UNIQUE' then 'key' else 'fkey' end;
    parts text[] := array(
        select pg_sandbox.find_long_name(part)
        from unnest(relname || case when suffix = 'pkey' then '{}'::text[] else columns end) with ordinality as p (part, place)
        order by place
    ) || suffix;
begin
    insert into pg_sandbox.table_key (relation, name, kind, attnums, referenced)
    values (
        wanted, coalesce(key ->> 'name', array_to_string(parts, '_')), key ->> 'kind',
        array(select (pg_internal.attribute(wanted, c.name)).attnum from unnest(columns) with ordinality as c (name, place) order by c.place),
        (key ->> 'references')::regclass
    );
end $$;

-- A table that is recorded is left as it is: CREATE TABLE IF NOT EXISTS found it.
create or replace procedure pg_internal.record_table(
    wanted regclass, style text, distkey_column text, sortkey_columns text[],
    encoded_columns text[], encodings text[], keys jsonb[]
) language plpgsql as $$
declare
    key jsonb;
begin
    if exists (select from pg_sandbox.table_design where relation = wanted) then
        return;
    end if;
    insert into pg_sandbox.table_design (relation, diststyle) values (wanted, style);
    insert into pg_sandbox.column_design (relation, attnum, encoding, distkey, sortkey)
    select wanted, a.attnum, encodings[array_position(encoded_columns, a.attname::text)],
        a.attname::text is not distinct from distkey_column,
        coalesce(array_position(sortkey_columns, a.attname::text), 0)
    from pg_catalog.pg_attribute as a
    where a.attrelid = wanted and a.attnum > 0 and not a.attisdropped
        and a.attname::text = any (distkey_column || sortkey_columns || encoded_columns);
    foreach key in array keys loop
        call pg_internal.record_key(wanted, key);
    end loop;
end $$;

-- Source: https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_TABLE_NEW.html (LIKE takes over the design, no keys)
create or replace procedure pg_internal.record_like(wanted regclass, parent regclass) language plpgsql as $$
begin
    if exists (select from pg_sandbox.table_design where relation = wanted) then
        return;
    end if;
    call pg_internal.adopt_table(wanted);
    insert into pg_sandbox.table_design (relation, diststyle)
    select wanted, coalesce((select diststyle from pg_sandbox.table_design where relation = parent), 'AUTO');
    insert into pg_sandbox.column_design (relation, attnum, encoding, distkey, sortkey)
    select wanted, a.attnum, d.encoding, d.distkey, d.sortkey
    from pg_sandbox.column_design as d
    inner join pg_catalog.pg_attribute as p on p.attrelid = d.relation and p.attnum = d.attnum
    inner join pg_catalog.pg_attribute as a on a.attrelid = wanted and a.attname = p.attname
    where d.relation = parent;
end $$;

create or replace procedure pg_internal.alter_encoding(wanted regclass, column_name text, new_encoding text)
language plpgsql as $$
declare
    a pg_attribute := pg_internal.attribute(wanted, column_name);
begin
    insert into pg_sandbox.column_design as d (relation, attnum, encoding) values (wanted, a.attnum, new_encoding)
    on conflict (relation, attnum) do update set encoding = excluded.encoding;
end $$;

create or replace procedure pg_internal.column_added(wanted regclass, column_name text, new_encoding text)
language plpgsql as $$
begin
    call pg_internal.add_length_check(wanted, column_name);
    if new_encoding is not null then
        call pg_internal.alter_encoding(wanted, column_name, new_encoding);
    end if;
end $$;

create or replace procedure pg_internal.check_drop_column(wanted regclass, column_name text, with_cascade boolean)
language plpgsql as $$
declare
    a pg_attribute := pg_internal.attribute(wanted, column_name);
    d pg_sandbox.column_design;
begin
    select * into d from pg_sandbox.column_design where relation = wanted and attnum = a.attnum;
    if d.distkey then
        raise feature_not_supported using message = format('cannot drop distkey column "%s"', column_name);
    elsif d.sortkey > 0 then
        raise feature_not_supported using message = format('cannot drop sortkey column "%s"', column_name);
    elsif not exists (
        select from pg_catalog.pg_attribute as b
        where b.attrelid = wanted and b.attnum > 0 and not b.attisdropped and b.attnum <> a.attnum
    ) then
        raise feature_not_supported using message = 'cannot drop the only column of a table';
    elsif not with_cascade and exists (
        select from pg_sandbox.table_key as k
        where k.relation = wanted and a.attnum = any (k.attnums) and (array_length(k.attnums, 1) > 1 or k.kind = 'FOREIGN KEY')
    ) then
        raise dependent_objects_still_exist using
            message = format('cannot drop table %s column %s because other objects depend on it', wanted, column_name),
            hint = 'Use DROP ... CASCADE to drop the dependent objects too.';
    end if;
end $$;

create or replace procedure pg_internal.check_drop_tables(names text[]) language plpgsql as $$
declare
    dropped oid[] := array(select to_regclass(n)::oid from unnest(names) as n where to_regclass(n) is not null);
    referenced_table regclass;
begin
    select k.referenced into referenced_table from pg_sandbox.table_key as k
    where k.referenced = any (dropped) and k.relation <> all (dropped) limit 1;
    if referenced_table is not null then
        raise dependent_objects_still_exist using
            message = format('cannot drop table %s because other objects depend on it', referenced_table),
            hint = 'Use DROP ... CASCADE to drop the dependent objects too.';
    end if;
end $$;

-- Source: https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html (ALTER COLUMN ... TYPE)
create or replace procedure pg_internal.check_alter_varchar(wanted regclass, a pg_attribute, length_bytes integer)
language plpgsql as $$
declare
    place text := format('column "%s" of relation "%s"', a.attname, (select c.relname from pg_catalog.pg_class as c where c.oid = wanted));
    codec text := (select d.encoding from pg_sandbox.column_design as d where d.relation = wanted and d.attnum = a.attnum);
begin
    if length_bytes is null or a.atttypid <> 'varchar'::regtype then
        raise feature_not_supported using message = format('cannot alter type of %s: only the size of a VARCHAR can change', place);
    elsif codec in ('bytedict', 'runlength', 'text255', 'text32k') then
        raise feature_not_supported using message = format('cannot alter %s with encoding %s', place, codec);
    elsif a.atthasdef and length_bytes < a.atttypmod - 4 then
        raise feature_not_supported using message = 'cannot decrease a VARCHAR column size with default value';
    elsif a.atthasdef then
        raise feature_not_supported using message = format('cannot alter %s with a default value', place);
    elsif exists (select from pg_sandbox.table_key as k where k.relation = wanted and a.attnum = any (k.attnums)) then
        raise feature_not_supported using message = format('cannot alter %s in a UNIQUE, PRIMARY KEY or FOREIGN KEY constraint', place);
    elsif length_bytes = a.atttypmod - 4 then
        raise feature_not_supported using message = format('cannot alter %s, target column size should be different', place);
    end if;
end $$;

create or replace procedure pg_internal.alter_varchar(wanted regclass, column_name text, length_bytes integer)
language plpgsql as $$
declare
    a pg_attribute := pg_internal.attribute(wanted, column_name);
    longest integer := 0;
begin
    call pg_internal.check_alter_varchar(wanted, a, length_bytes);
    if length_bytes < a.atttypmod - 4 then
        execute format('select max(octet_length(%I)) from %s', column_name, wanted) into longest;
    end if;
    if longest > length_bytes then
        raise feature_not_supported using message = format(
            'cannot alter column "%s", its longest value has %s bytes, more than %s', column_name, longest, length_bytes);
    end if;
    execute format('alter table %s drop constraint if exists %I, alter column %I type varchar(%s)', wanted,
        format('bytes_%s_%s', a.attnum, format_type(a.atttypid, a.atttypmod)), column_name, length_bytes);
    call pg_internal.add_length_check(wanted, column_name);
end $$;
