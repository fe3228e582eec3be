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
                                'amount'
                            )
                        )
                        then 1
                    else 0
                end
            ) = 1
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
    schemaname = 'finance'
    and viewname = 'summit'
    and viewowner = 'etl'
    and md5(definition) = 'd42f1f2702766679357a6773acefcfd6';

-- feedway golden 0123456789abcdef0123456789abcdef guard_view
select cast(case when count(*) = 1 then '1' else 'x' end as integer)
from pg_views
where
    schemaname = 'finance'
    and viewname = 'theirs'
    and viewowner = 'cfo'
    and md5(definition) = '4598e5748635b041f8e0c3597cf6fdf3';

-- feedway golden 0123456789abcdef0123456789abcdef drop_view
drop view "finance"."summit";

-- feedway golden 0123456789abcdef0123456789abcdef drop_view
drop view "reporting"."v_named";

-- feedway golden 0123456789abcdef0123456789abcdef drop_view
drop view "finance"."theirs";

-- feedway golden 0123456789abcdef0123456789abcdef add_column
alter table "public"."customers"
add column "amount__feedway_01234567" bigint;

-- feedway golden 0123456789abcdef0123456789abcdef copy_column
update "public"."customers"
set "amount__feedway_01234567" = cast("amount" as bigint);

-- feedway golden 0123456789abcdef0123456789abcdef check_copied_column
select cast(case when count(*) = 0 then '1' else 'x' end as integer)
from "public"."customers"
where
    "amount" <> "amount__feedway_01234567"
    or ("amount" is null and "amount__feedway_01234567" is not null)
    or ("amount" is not null and "amount__feedway_01234567" is null);

-- feedway golden 0123456789abcdef0123456789abcdef drop_column
alter table "public"."customers"
drop column "amount";

-- feedway golden 0123456789abcdef0123456789abcdef rename_column
alter table "public"."customers"
rename column "amount__feedway_01234567" to "amount";

-- feedway golden 0123456789abcdef0123456789abcdef create_view
create view "finance"."theirs" as
SELECT id, amount, 'a;--''b' AS note FROM customers;

-- feedway golden 0123456789abcdef0123456789abcdef grant_on_relation
grant select on "finance"."theirs"
to role "board";

-- feedway golden 0123456789abcdef0123456789abcdef comment_on_view
comment on view "finance"."theirs" is 'the CFO''s';

-- feedway golden 0123456789abcdef0123456789abcdef set_owner
alter table "finance"."theirs" owner to "cfo";

-- feedway golden 0123456789abcdef0123456789abcdef create_view
create view "reporting"."v_named" as
select * from finance.theirs;

-- feedway golden 0123456789abcdef0123456789abcdef grant_on_relation
grant select on "reporting"."v_named"
to group "analysts";

-- feedway golden 0123456789abcdef0123456789abcdef delete_view_build
delete from "feedway"."view_builds"
where view_schema = 'reporting' and view_name = 'v_named';

-- feedway golden 0123456789abcdef0123456789abcdef insert_view_build
insert into "feedway"."view_builds" (view_schema, view_name, definition_sha256, columns_sha256, run_id, built_ts)
values (
    'reporting', 'v_named', 'c7412d3f15402b89b611db8e6082c5b1b92ec047b11abfc67b018afaa0e3d554',
    '701791356de270fa99ebab5df5d01c857181246f06e918199863d9586c67c7fe', '0123456789abcdef0123456789abcdef', '2026-01-02 12:00:00.000000'
);

-- feedway golden 0123456789abcdef0123456789abcdef create_view
create view "finance"."summit" as
SELECT id FROM reporting.v_named;

-- feedway golden 0123456789abcdef0123456789abcdef grant_on_relation
grant select on "finance"."summit"
to public;

-- feedway golden 0123456789abcdef0123456789abcdef comment_on_column
comment on column "finance"."summit"."id" is 'a number';

-- feedway golden 0123456789abcdef0123456789abcdef insert_schema_changes
insert into "feedway"."schema_changes" (
    changed_ts, run_id, pipeline, target_table_name,
    change, column_name, type_before, type_after, reason, source_filename, decided_by, evidence, shows_values
)
values
    (
        sysdate, '0123456789abcdef0123456789abcdef', 'golden', 'public.customers',
        'rewrite_column', 'amount', 'integer',
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
                                'id', 'amount'
                            )
                        )
                        then 1
                    else 0
                end
            ) = 2
            and count(*) = 2
            then '1'
        else 'x'
    end as integer
)
from svv_columns
where table_schema = 'public' and table_name = 'customers';

-- feedway golden 0123456789abcdef0123456789abcdef create_staging_table
create temp table "feedway_stage_0123456789abcdef0123456789abcdef" (
    "id" bigint,
    "amount" bigint,
    feedway_file integer,
    feedway_row bigint
)
diststyle even;

-- feedway golden 0123456789abcdef0123456789abcdef copy_staging
copy "feedway_stage_0123456789abcdef0123456789abcdef" (
    "id", "amount",
    feedway_file, feedway_row
)
from 's3://lake/staging/manifest.json'
iam_role 'arn:aws:iam::1:role/copy'
format as parquet
manifest;

-- as in upsert: find_losers, delete_losers, count_rows, check_conservation, delete_matching_rows

-- feedway golden 0123456789abcdef0123456789abcdef insert_rows
insert into "public"."customers" (
    "id", "amount"
)
select
    s."id", s."amount"
from "feedway_stage_0123456789abcdef0123456789abcdef" as s;

-- as in upsert: insert_ledger, insert_loaded_job_sts, select_merge_counts, drop_tables
