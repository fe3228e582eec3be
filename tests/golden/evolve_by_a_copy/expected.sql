-- === evolve

-- feedway golden 0123456789abcdef0123456789abcdef lock_ledger
lock table "feedway"."ledger_dfb56e0ba4df";

-- feedway golden 0123456789abcdef0123456789abcdef guard_columns
select cast(
    case
        when
            sum(
                case
                    when
                        (
                            data_type in ('integer', 'int', 'int4')
                            and column_name in (
                                'id'
                            )
                        )
                        then 1
                    else 0
                end
            ) = 1
            and count(*) = 3
            then '1'
        else 'x'
    end as integer
)
from svv_columns
where table_schema = 'public' and table_name = 'customers';

-- feedway golden 0123456789abcdef0123456789abcdef guard_view
select cast(case when count(*) = 1 then '1' else 'x' end as integer)
from pg_views
where
    schemaname = 'reporting'
    and viewname = 'theirs'
    and viewowner = 'etl'
    and md5(definition) = '72df1dfb34195373b82da65b8c21f4c8';

-- feedway golden 0123456789abcdef0123456789abcdef drop_view
drop view "reporting"."theirs";

-- feedway golden 0123456789abcdef0123456789abcdef create_wider_copy
create table "public"."customers__feedway_01234567" (
    "id" bigint not null,
    "amount" integer not null,
    "name" varchar(20) default 'x' not null,
    primary key ("id", "amount")
)
distkey ("id")
compound sortkey ("amount");

-- feedway golden 0123456789abcdef0123456789abcdef grant_on_relation
grant select on "public"."customers__feedway_01234567"
to role "board";

-- feedway golden 0123456789abcdef0123456789abcdef comment_on_table
comment on table "public"."customers__feedway_01234567" is 'all of them';

-- feedway golden 0123456789abcdef0123456789abcdef comment_on_column
comment on column "public"."customers__feedway_01234567"."id" is 'the key';

-- feedway golden 0123456789abcdef0123456789abcdef copy_rows
insert into "public"."customers__feedway_01234567" (
    "id",
    "amount",
    "name"
)
select
    cast("id" as bigint),
    "amount",
    "name"
from "public"."customers";

-- feedway golden 0123456789abcdef0123456789abcdef check_copied_rows
select cast(case when count(*) = 0 then '1' else 'x' end as integer)
from (
    select count(*) as n0, count("id") as n1 from "public"."customers"
    except
    select count(*) as n0, count("id") as n1 from "public"."customers__feedway_01234567"
) as counted;

-- feedway golden 0123456789abcdef0123456789abcdef drop_copied_table
drop table "public"."customers";

-- feedway golden 0123456789abcdef0123456789abcdef rename_table
alter table "public"."customers__feedway_01234567"
rename to "customers";

-- feedway golden 0123456789abcdef0123456789abcdef set_owner
alter table "public"."customers" owner to "cfo";

-- feedway golden 0123456789abcdef0123456789abcdef create_view
create view "reporting"."theirs" as
SELECT name FROM customers;

-- feedway golden 0123456789abcdef0123456789abcdef insert_schema_changes
insert into "feedway"."schema_changes" (
    changed_ts, run_id, pipeline, target_table_name,
    change, column_name, type_before, type_after, reason, source_filename, decided_by, evidence, shows_values
)
values
    (
        sysdate, '0123456789abcdef0123456789abcdef', 'golden', 'public.customers',
        'rewrite_column', 'id', 'integer',
        'bigint', 'values from 1 to 3000000000', 'data/in/golden/one.csv',
        'values', null, true
    );

-- === merge

-- as in upsert: lock_ledger, guard_ledger, guard_order

-- feedway golden 0123456789abcdef0123456789abcdef guard_columns
select cast(
    case
        when
            sum(
                case
                    when
                        (
                            data_type in ('bigint', 'int8')
                            and column_name in (
                                'id'
                            )
                        )
                        or (
                            data_type in ('integer', 'int', 'int4')
                            and column_name in (
                                'amount'
                            )
                        )
                        or (
                            data_type in ('varchar', 'character varying', 'nvarchar', 'text')
                            and column_name in (
                                'name'
                            )
                        )
                        then 1
                    else 0
                end
            ) = 3
            and count(*) = 3
            then '1'
        else 'x'
    end as integer
)
from svv_columns
where table_schema = 'public' and table_name = 'customers';

-- feedway golden 0123456789abcdef0123456789abcdef create_staging_table
create temp table "feedway_stage_0123456789abcdef0123456789abcdef" (
    "id" bigint,
    "amount" integer,
    "name" varchar(20),
    feedway_file integer,
    feedway_row bigint
)
diststyle key distkey ("id");

-- feedway golden 0123456789abcdef0123456789abcdef copy_staging
copy "feedway_stage_0123456789abcdef0123456789abcdef" (
    "id", "amount", "name",
    feedway_file, feedway_row
)
from 's3://lake/staging/manifest.json'
iam_role 'arn:aws:iam::1:role/copy'
format as parquet
manifest;

-- as in upsert: find_losers, delete_losers, count_rows, check_conservation, delete_matching_rows

-- feedway golden 0123456789abcdef0123456789abcdef insert_rows
insert into "public"."customers" (
    "id", "amount", "name"
)
select
    s."id", s."amount", s."name"
from "feedway_stage_0123456789abcdef0123456789abcdef" as s;

-- as in upsert: insert_ledger, insert_loaded_job_sts, select_merge_counts, drop_tables
