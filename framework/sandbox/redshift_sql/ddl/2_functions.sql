-- Functions that Redshift has and PostgreSQL lacks, or where PostgreSQL's mean something else.

-- BPCHAR without a length keeps trailing blanks, but ignores them in comparisons and hashes. These functions are
-- inlined: a join on them is a hash join.
create or replace function pg_internal.comparable(text) returns bpchar
language sql immutable parallel safe as 'select $1::bpchar';
create or replace function pg_internal.comparable(varchar) returns bpchar
language sql immutable parallel safe as 'select $1::bpchar';
create or replace function pg_internal.comparable(bpchar) returns bpchar
language sql immutable parallel safe as 'select $1';
create or replace function pg_internal.comparable(name) returns name
language sql immutable parallel safe as 'select $1';
create or replace function pg_internal.comparable("char") returns "char"
language sql immutable parallel safe as 'select $1';
create or replace function pg_internal.comparable(anyelement) returns anyelement
language sql immutable parallel safe as 'select $1';

-- A cast cuts to bytes, at the border of a character.
create or replace function pg_internal.cut_bytes(value text, length_bytes integer) returns text
language plpgsql immutable strict parallel safe as $$
declare
    shorter text := left(value, length_bytes);
begin
    while octet_length(shorter) > length_bytes loop
        shorter := left(shorter, -greatest(1, (octet_length(shorter) - length_bytes) / 4));
    end loop;
    return shorter;
end $$;
create or replace function pg_internal.cut(text, integer) returns text
language sql immutable parallel safe as
'select case when octet_length($1) <= $2 then $1 else pg_internal.cut_bytes($1, $2) end';
create or replace function pg_internal.cut(anyelement, integer) returns text
language sql stable parallel safe as 'select pg_internal.cut($1::text, $2)';

-- SUM of integers is BIGINT, AVG of integers BIGINT without the fraction.
-- Source: https://docs.aws.amazon.com/redshift/latest/dg/r_SUM.html and r_AVG.html
create or replace aggregate pg_internal.sum(bigint) (
    sfunc = pg_catalog.int8pl, stype = bigint, combinefunc = pg_catalog.int8pl, parallel = safe
);
create or replace aggregate pg_internal.sum(real) (
    sfunc = pg_catalog.float84pl, stype = double precision, combinefunc = pg_catalog.float8pl,
    initcond = '0', parallel = safe
);
create or replace function pg_internal.average(bigint, bigint) returns bigint
language sql immutable parallel safe as 'select $1 / nullif($2, 0)';
create or replace function pg_internal.average(numeric, bigint) returns numeric
language sql immutable parallel safe as 'select round($1 / nullif($2, 0), scale($1))';
create or replace function pg_internal.average(double precision, bigint) returns double precision
language sql immutable parallel safe as 'select $1 / nullif($2, 0)';

create or replace function pg_internal.has_table_privilege(text, text) returns boolean
language sql stable as 'select pg_catalog.has_table_privilege(pg_sandbox.short_names($1), $2)';
create or replace function pg_internal.has_table_privilege(name, text, text) returns boolean
language sql stable as 'select pg_catalog.has_table_privilege($1, pg_sandbox.short_names($2), $3)';
create or replace function pg_internal.has_schema_privilege(text, text) returns boolean
language sql stable as 'select pg_catalog.has_schema_privilege(pg_sandbox.short_name($1), $2)';
create or replace function pg_internal.has_schema_privilege(name, text, text) returns boolean
language sql stable as 'select pg_catalog.has_schema_privilege($1, pg_sandbox.short_name($2), $3)';

-- GETDATE is the start of the statement, SYSDATE of the transaction; both TIMESTAMP, in UTC.
create or replace function pg_internal.getdate() returns timestamp
language sql stable parallel safe as $$select date_trunc('second', statement_timestamp() at time zone 'UTC')$$;
create or replace function pg_internal.sysdate() returns timestamp
language sql stable parallel safe as $$select transaction_timestamp() at time zone 'UTC'$$;

create or replace function pg_internal.current_schema() returns name
language sql stable parallel safe as $$select 'public'::name$$;

-- Milliseconds without a unit, as Redshift shows them.
create or replace function pg_internal.statement_timeout() returns text
language sql stable parallel safe as $$select setting from pg_settings where name = 'statement_timeout'$$;

create or replace function pg_internal.dateadd(part text, amount bigint, moment timestamp) returns timestamp
language sql immutable parallel safe as $$
    select moment + case part
        when 'quarter' then amount * 3 * interval '1 month'
        when 'month' then amount * interval '1 month'
        when 'week' then amount * interval '7 days'
        when 'day' then amount * interval '1 day'
        when 'year' then amount * interval '1 year'
        when 'decade' then amount * interval '10 years'
        when 'century' then amount * interval '100 years'
        when 'millennium' then amount * interval '1000 years'
        when 'hour' then amount * interval '1 hour'
        when 'minute' then amount * interval '1 minute'
        when 'second' then amount * interval '1 second'
        when 'milliseconds' then amount * interval '1 millisecond'
        when 'microseconds' then amount * interval '1 microsecond'
    end
$$;

-- Counts the borders crossed, not the time elapsed.
-- Source: https://docs.aws.amazon.com/redshift/latest/dg/r_DATEDIFF_function.html
create or replace function pg_internal.month_number(timestamp) returns bigint
language sql immutable parallel safe as
$$select (extract(year from $1) * 12 + extract(month from $1) - 1)::bigint$$;
create or replace function pg_internal.day_number(timestamp) returns bigint
language sql immutable parallel safe as $$select ($1::date - date '0001-01-01')::bigint$$;
create or replace function pg_internal.microsecond_number(timestamp) returns numeric
language sql immutable parallel safe as $$select floor(extract(epoch from $1) * 1000000)$$;
create or replace function pg_internal.datediff(part text, first timestamp, last timestamp) returns bigint
language sql immutable parallel safe as $$
    select case part
        when 'millennium' then floor(pg_internal.month_number(last) / 12000.0) - floor(pg_internal.month_number(first) / 12000.0)
        when 'century' then floor(pg_internal.month_number(last) / 1200.0) - floor(pg_internal.month_number(first) / 1200.0)
        when 'decade' then floor(pg_internal.month_number(last) / 120.0) - floor(pg_internal.month_number(first) / 120.0)
        when 'year' then floor(pg_internal.month_number(last) / 12.0) - floor(pg_internal.month_number(first) / 12.0)
        when 'quarter' then floor(pg_internal.month_number(last) / 3.0) - floor(pg_internal.month_number(first) / 3.0)
        when 'month' then pg_internal.month_number(last) - pg_internal.month_number(first)
        when 'week' then floor(pg_internal.day_number(last) / 7.0) - floor(pg_internal.day_number(first) / 7.0)
        when 'day' then pg_internal.day_number(last) - pg_internal.day_number(first)
        when 'hour' then floor(pg_internal.microsecond_number(last) / 3600000000) - floor(pg_internal.microsecond_number(first) / 3600000000)
        when 'minute' then floor(pg_internal.microsecond_number(last) / 60000000) - floor(pg_internal.microsecond_number(first) / 60000000)
        when 'second' then floor(pg_internal.microsecond_number(last) / 1000000) - floor(pg_internal.microsecond_number(first) / 1000000)
        when 'milliseconds' then floor(pg_internal.microsecond_number(last) / 1000) - floor(pg_internal.microsecond_number(first) / 1000)
        when 'microseconds' then pg_internal.microsecond_number(last) - pg_internal.microsecond_number(first)
    end::bigint
$$;
create or replace function pg_internal.date_trunc(text, date) returns timestamp
language sql immutable parallel safe as 'select pg_catalog.date_trunc($1, $2::timestamp)';
create or replace function pg_internal.trunc(timestamp) returns date
language sql immutable parallel safe as 'select $1::date';
create or replace function pg_internal.last_day(timestamp) returns date
language sql immutable parallel safe as
$$select (pg_catalog.date_trunc('month', $1) + interval '1 month - 1 day')::date$$;
create or replace function pg_internal.add_months(timestamp, integer) returns timestamp
language sql immutable parallel safe as $$
    select case
        when $1::date = pg_internal.last_day($1)
            then pg_internal.last_day($1 + $2 * interval '1 month') + $1::time
        else $1 + $2 * interval '1 month'
    end
$$;
create or replace function pg_internal.months_between(timestamp, timestamp) returns double precision
language sql immutable parallel safe as $$
    select case
        when extract(day from $1) = extract(day from $2)
            or ($1::date = pg_internal.last_day($1) and $2::date = pg_internal.last_day($2))
            then pg_internal.month_number($1) - pg_internal.month_number($2)
        else pg_internal.month_number($1) - pg_internal.month_number($2)
            + (extract(epoch from $1 - pg_catalog.date_trunc('month', $1))
                - extract(epoch from $2 - pg_catalog.date_trunc('month', $2))) / (31 * 86400)
    end::double precision
$$;
create or replace function pg_internal.convert_timezone(text, text, timestamp) returns timestamp
language sql immutable parallel safe as 'select ($3 at time zone $1) at time zone $2';
create or replace function pg_internal.convert_timezone(text, timestamp) returns timestamp
language sql immutable parallel safe as $$select ($2 at time zone 'UTC') at time zone $1$$;
create or replace function pg_internal.date_cmp(date, date) returns integer
language sql immutable parallel safe as 'select sign(($1 - $2)::double precision)::integer';

create or replace function pg_internal.round(double precision, integer) returns double precision
language sql immutable parallel safe as 'select pg_catalog.round($1::numeric, $2)::double precision';
create or replace function pg_internal.trunc(double precision, integer) returns double precision
language sql immutable parallel safe as 'select pg_catalog.trunc($1::numeric, $2)::double precision';
-- REGEXP_REPLACE replaces every match. Source: https://docs.aws.amazon.com/redshift/latest/dg/REGEXP_REPLACE.html
create or replace function pg_internal.regexp_replace(text, text) returns text
language sql immutable parallel safe as $$select pg_catalog.regexp_replace($1, $2, '', 'g')$$;
create or replace function pg_internal.regexp_replace(text, text, text) returns text
language sql immutable parallel safe as $$select pg_catalog.regexp_replace($1, $2, $3, 'g')$$;
-- No match is an empty text. Source: https://docs.aws.amazon.com/redshift/latest/dg/REGEXP_SUBSTR.html
create or replace function pg_internal.regexp_substr(text, text) returns text
language sql immutable parallel safe as
$$select case when $1 is null or $2 is null then null else coalesce(pg_catalog.regexp_substr($1, $2), '') end$$;
create or replace function pg_internal.sha2(text, integer) returns text
language sql immutable parallel safe as $$
    select encode(case $2
        when 224 then sha224(convert_to($1, 'UTF8'))
        when 384 then sha384(convert_to($1, 'UTF8'))
        when 512 then sha512(convert_to($1, 'UTF8'))
        else sha256(convert_to($1, 'UTF8'))
    end, 'hex')
$$;
