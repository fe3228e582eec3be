-- Redshift's types that PostgreSQL lacks. Values are stored, copied and shown; nothing compares them.

-- SUPER is JSON whose numbers keep their digits. What it may hold is checked where JSON is read.
do $$ begin
    if to_regtype('pg_internal.super') is null then
        create domain pg_internal.super as jsonb;
    end if;
end $$;

-- The others are bytes under a name of their own. A type that has a length keeps it as VARCHAR does.
create or replace procedure pg_sandbox.create_bytes_type(name text, has_length boolean) language plpgsql as $$
declare
    type_name text := format('pg_internal.%I', name);
    lengths text := case when has_length then ', typmod_in = varchartypmodin, typmod_out = varchartypmodout' else '' end;
begin
    if to_regtype(type_name) is not null then
        return;
    end if;
    execute format('create type %s', type_name);
    execute format('create function %s_in(cstring) returns %1$s language internal immutable strict as ''byteain''', type_name);
    execute format('create function %s_out(%1$s) returns cstring language internal immutable strict as ''byteaout''', type_name);
    -- COPY in binary form looks for them even where it leaves the column out.
    execute format('create function %s_recv(internal) returns %1$s language internal immutable strict as ''bytearecv''', type_name);
    execute format('create function %s_send(%1$s) returns bytea language internal immutable strict as ''byteasend''', type_name);
    execute format(
        'create type %s (input = %1$s_in, output = %1$s_out, receive = %1$s_recv, send = %1$s_send, storage = extended%s)',
        type_name, lengths
    );
    execute format('create cast (%s as bytea) without function', type_name);
    execute format('create cast (bytea as %s) without function', type_name);
end $$;
call pg_sandbox.create_bytes_type('varbyte', true);
call pg_sandbox.create_bytes_type('geometry', false);
call pg_sandbox.create_bytes_type('geography', false);
call pg_sandbox.create_bytes_type('hllsketch', false);

create or replace function pg_internal.fit_varbyte(value pg_internal.varbyte, modifier integer, is_explicit boolean)
returns pg_internal.varbyte language plpgsql immutable strict as $$
begin
    if modifier > 4 and octet_length(value::bytea) > modifier - 4 then
        raise string_data_right_truncation
            using message = format('value too long for type binary varying(%s)', modifier - 4);
    end if;
    return value;
end $$;
do $$ begin
    if not exists (
        select from pg_catalog.pg_cast
        where castsource = 'pg_internal.varbyte'::regtype and casttarget = 'pg_internal.varbyte'::regtype
    ) then
        create cast (pg_internal.varbyte as pg_internal.varbyte)
        with function pg_internal.fit_varbyte(pg_internal.varbyte, integer, boolean) as implicit;
    end if;
end $$;

-- As Redshift's catalog spells a type.
create or replace function pg_sandbox.type_text(type_id oid, modifier integer) returns text
language sql stable as $$
    select case
        when type_id = 'pg_internal.varbyte'::regtype then
            'binary varying' || case when modifier > 4 then format('(%s)', modifier - 4) else '' end
        else replace(format_type(type_id, modifier), 'pg_internal.', '')
    end
$$;

-- Source: https://docs.aws.amazon.com/redshift/latest/dg/r_TO_VARBYTE.html and r_FROM_VARBYTE.html
create or replace function pg_internal.to_varbyte(value text, format text) returns pg_internal.varbyte
language plpgsql immutable strict as $$
begin
    case lower(format)
        when 'hex' then return decode(value, 'hex')::pg_internal.varbyte;
        when 'utf8', 'utf-8' then return convert_to(value, 'UTF8')::pg_internal.varbyte;
        else raise feature_not_supported using
            message = format('TO_VARBYTE with the format %s is not supported by the sandbox', format);
    end case;
end $$;
create or replace function pg_internal.from_varbyte(value pg_internal.varbyte, format text) returns text
language plpgsql immutable strict as $$
begin
    case lower(format)
        when 'hex' then return encode(value::bytea, 'hex');
        when 'utf8', 'utf-8' then return convert_from(value::bytea, 'UTF8');
        else raise feature_not_supported using
            message = format('FROM_VARBYTE with the format %s is not supported by the sandbox', format);
    end case;
end $$;

-- Source: https://docs.aws.amazon.com/redshift/latest/dg/JSON_PARSE.html and JSON_SERIALIZE.html
create or replace function pg_internal.json_parse(value text) returns pg_internal.super
language plpgsql immutable strict as $$
declare
    brackets text := regexp_replace(regexp_replace(value, '"(?:[^"\\]|\\.)*"', '', 'g'), '[^][{}]+', '', 'g');
begin
    if octet_length(value) > 16384000 then
        raise program_limit_exceeded using message = 'The size of the value exceeds the limit of super(16384000)';
    end if;
    if length(brackets) > 2000 then
        for level in 1..1000 loop
            brackets := regexp_replace(brackets, '\[\]|\{\}', '', 'g');
        end loop;
        if brackets <> '' then
            raise program_limit_exceeded using message = 'The nesting of the value exceeds the limit of 1000 levels';
        end if;
    end if;
    return value::jsonb;
end $$;
create or replace function pg_internal.json_serialize(value pg_internal.super) returns text
language sql immutable strict as $$
    select regexp_replace(value::jsonb::text, '("(?:[^"\\]|\\.)*")|([,:]) ', '\1\2', 'g')
$$;
