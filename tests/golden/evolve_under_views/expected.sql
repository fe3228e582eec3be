-- === drop_views

-- feedway golden 0123456789abcdef0123456789abcdef guard_view
select cast(case when count(*) = 1 then '1' else 'x' end as integer)
from pg_views
where
    schemaname = 'reporting'
    and viewname = 'v_high'
    and viewowner = 'etl'
    and md5(definition) = '98c18c4d4873eaa21a5b6bc52491f52e';

-- feedway golden 0123456789abcdef0123456789abcdef insert_view_journal
insert into "feedway"."view_journal" (
    taken_ts, run_id, pipeline, target_schema, target_name, view_schema, view_name, place, part, content
)
values (
    sysdate, '0123456789abcdef0123456789abcdef', 'golden',
    'public', 'customers',
    'reporting', 'v_high',
    1, 0, '{"invocation_id": "cccccccccccccccccccccccccccccccc", "definition": "SELECT v_low.id FROM reporting.v_low;", "owner": "etl", "is_own": true, "is_of_spec": true, "grants": [], "comments": []}'
);

-- feedway golden 0123456789abcdef0123456789abcdef drop_view
drop view "reporting"."v_high";

-- feedway golden 0123456789abcdef0123456789abcdef guard_view
select cast(case when count(*) = 1 then '1' else 'x' end as integer)
from pg_views
where
    schemaname = 'reporting'
    and viewname = 'v_low'
    and viewowner = 'etl'
    and md5(definition) = '3b0ba7194dc5d9a55f5b03dd0296adf0';

-- feedway golden 0123456789abcdef0123456789abcdef insert_view_journal
insert into "feedway"."view_journal" (
    taken_ts, run_id, pipeline, target_schema, target_name, view_schema, view_name, place, part, content
)
values (
    sysdate, '0123456789abcdef0123456789abcdef', 'golden',
    'public', 'customers',
    'reporting', 'v_low',
    0, 0, '{"invocation_id": "cccccccccccccccccccccccccccccccc", "definition": "SELECT customers.id, customers.amount, customers.name FROM customers;", "owner": "etl", "is_own": true, "is_of_spec": true, "grants": [["select", "analysts", "group", false]], "comments": [[null, "for the board"]]}'
);

-- feedway golden 0123456789abcdef0123456789abcdef drop_view
drop view "reporting"."v_low";

-- === log_growth

-- feedway golden 0123456789abcdef0123456789abcdef guard_columns
select cast(
    case
        when
            sum(
                case
                    when
                        (
                            data_type in ('varchar', 'character varying', 'nvarchar', 'text')
                            and character_maximum_length = 256
                            and column_name in (
                                'name'
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

-- feedway golden 0123456789abcdef0123456789abcdef log_growth
insert into "feedway"."schema_changes" (
    changed_ts, run_id, pipeline, target_table_name,
    change, column_name, type_before, type_after, reason, source_filename, decided_by, evidence, shows_values
)
select
    sysdate, '0123456789abcdef0123456789abcdef', 'golden', 'public.customers',
    'grow_varchar', 'name', 'varchar(256)',
    'varchar(310)', 'the longest text has 300 bytes', 'data/in/golden/one.csv',
    'values', null, true
where not exists (
    select 1
    from "feedway"."schema_changes"
    where
        pipeline = 'golden'
        and target_table_name = 'public.customers'
        and column_name = 'name'
        and type_after = 'varchar(310)'
        and source_filename = 'data/in/golden/one.csv'
);

-- === grow

-- feedway golden 0123456789abcdef0123456789abcdef grow_varchar
alter table "public"."customers"
alter column "name" type varchar(310);

-- === log_growth

-- feedway golden 0123456789abcdef0123456789abcdef guard_columns
select cast(
    case
        when
            sum(
                case
                    when
                        (
                            data_type in ('varchar', 'character varying', 'nvarchar', 'text')
                            and character_maximum_length = 256
                            and column_name in (
                                'free'
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

-- feedway golden 0123456789abcdef0123456789abcdef log_growth
insert into "feedway"."schema_changes" (
    changed_ts, run_id, pipeline, target_table_name,
    change, column_name, type_before, type_after, reason, source_filename, decided_by, evidence, shows_values
)
select
    sysdate, '0123456789abcdef0123456789abcdef', 'golden', 'public.customers',
    'grow_varchar', 'free', 'varchar(256)',
    'varchar(510)', 'the longest text has 500 bytes', 'data/in/golden/one.csv',
    'values', null, true
where not exists (
    select 1
    from "feedway"."schema_changes"
    where
        pipeline = 'golden'
        and target_table_name = 'public.customers'
        and column_name = 'free'
        and type_after = 'varchar(510)'
        and source_filename = 'data/in/golden/one.csv'
);

-- === grow

-- feedway golden 0123456789abcdef0123456789abcdef grow_varchar
alter table "public"."customers"
alter column "free" type varchar(510);

-- === restore_views

-- feedway golden 0123456789abcdef0123456789abcdef create_view
create view "reporting"."v_low" as
SELECT customers.id, customers.amount, customers.name FROM customers;

-- feedway golden 0123456789abcdef0123456789abcdef grant_on_relation
grant select on "reporting"."v_low"
to group "analysts";

-- feedway golden 0123456789abcdef0123456789abcdef comment_on_view
comment on view "reporting"."v_low" is 'for the board';

-- feedway golden 0123456789abcdef0123456789abcdef delete_view_journal
delete from "feedway"."view_journal"
where
    run_id = '0123456789abcdef0123456789abcdef'
    and view_schema = 'reporting'
    and view_name = 'v_low';

-- === restore_views

-- feedway golden 0123456789abcdef0123456789abcdef create_view
create view "reporting"."v_high" as
SELECT v_low.id FROM reporting.v_low;

-- feedway golden 0123456789abcdef0123456789abcdef delete_view_journal
delete from "feedway"."view_journal"
where
    run_id = '0123456789abcdef0123456789abcdef'
    and view_schema = 'reporting'
    and view_name = 'v_high';

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

-- feedway golden 0123456789abcdef0123456789abcdef drop_view
drop view "reporting"."v_high";

-- feedway golden 0123456789abcdef0123456789abcdef drop_view
drop view "reporting"."v_low";

-- feedway golden 0123456789abcdef0123456789abcdef add_column
alter table "public"."customers"
add column "added" boolean;

-- feedway golden 0123456789abcdef0123456789abcdef add_column
alter table "public"."customers"
add column "amount__feedway_01234567" decimal(38,18) default 7;

-- feedway golden 0123456789abcdef0123456789abcdef copy_column
update "public"."customers"
set "amount__feedway_01234567" = cast("amount" as decimal(38,18));

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

-- feedway golden 0123456789abcdef0123456789abcdef comment_on_column
comment on column "public"."customers"."amount" is 'it''s money';

-- feedway golden 0123456789abcdef0123456789abcdef create_view
create view "reporting"."v_low" as
select * from "public"."customers";

-- feedway golden 0123456789abcdef0123456789abcdef grant_on_relation
grant select on "reporting"."v_low"
to group "analysts";

-- feedway golden 0123456789abcdef0123456789abcdef comment_on_view
comment on view "reporting"."v_low" is 'for the board';

-- feedway golden 0123456789abcdef0123456789abcdef delete_view_build
delete from "feedway"."view_builds"
where view_schema = 'reporting' and view_name = 'v_low';

-- feedway golden 0123456789abcdef0123456789abcdef insert_view_build
insert into "feedway"."view_builds" (view_schema, view_name, definition_sha256, columns_sha256, run_id, built_ts)
values (
    'reporting', 'v_low', '7a208eefcc87b11cd6a1d4a0897ab05e53e983ac7ddc0b9c248a78b27286ac13',
    '5356827c602c6a02fabfd2dc3ad1128db3aee89b2e60089bf6bfd3bf96299c46', '0123456789abcdef0123456789abcdef', '2026-01-02 12:00:00.000000'
);

-- feedway golden 0123456789abcdef0123456789abcdef create_view
create view "reporting"."v_high" as
select id from reporting.v_low;

-- feedway golden 0123456789abcdef0123456789abcdef delete_view_build
delete from "feedway"."view_builds"
where view_schema = 'reporting' and view_name = 'v_high';

-- feedway golden 0123456789abcdef0123456789abcdef insert_view_build
insert into "feedway"."view_builds" (view_schema, view_name, definition_sha256, columns_sha256, run_id, built_ts)
values (
    'reporting', 'v_high', '86c2c8ea8b28962c51d39a0a14e25ffbf5e5e9db58b584612b291bd68b993e53',
    '5356827c602c6a02fabfd2dc3ad1128db3aee89b2e60089bf6bfd3bf96299c46', '0123456789abcdef0123456789abcdef', '2026-01-02 12:00:00.000000'
);

-- feedway golden 0123456789abcdef0123456789abcdef insert_schema_changes
insert into "feedway"."schema_changes" (
    changed_ts, run_id, pipeline, target_table_name,
    change, column_name, type_before, type_after, reason, source_filename, decided_by, evidence, shows_values
)
values
    (
        sysdate, '0123456789abcdef0123456789abcdef', 'golden', 'public.customers',
        'add_column', 'added', null,
        'boolean', 'all values are true or false', 'data/in/golden/one.csv',
        'values', '2 values', true
    ),
    (
        sysdate, '0123456789abcdef0123456789abcdef', 'golden', 'public.customers',
        'rewrite_column', 'amount', 'integer',
        'decimal(38,18)', '1 value with up to 2 digits before and 2 after the point', 'data/in/golden/one.csv',
        'values', null, true
    );

-- feedway golden 0123456789abcdef0123456789abcdef insert_column_spellings
insert into "feedway"."column_spellings" (recorded_ts, run_id, target_table_name, column_name, spelling_sha256, spelling)
values
    (sysdate, '0123456789abcdef0123456789abcdef', 'public.customers', 'added', '279b8a60f444fa8b6275687ce7e44363d97f72f88e4a3285baf0d9ed812e4061', 'added');

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
                            data_type in ('decimal', 'numeric')
                            and numeric_precision = 38 and numeric_scale = 18
                            and column_name in (
                                'amount'
                            )
                        )
                        or (
                            data_type in ('varchar', 'character varying', 'nvarchar', 'text')
                            and column_name in (
                                'name', 'free', 'segment'
                            )
                        )
                        or (
                            data_type in ('boolean', 'bool')
                            and column_name in (
                                'added'
                            )
                        )
                        then 1
                    else 0
                end
            ) = 6
            and count(*) = 6
            then '1'
        else 'x'
    end as integer
)
from svv_columns
where table_schema = 'public' and table_name = 'customers';

-- feedway golden 0123456789abcdef0123456789abcdef create_staging_table
create temp table "feedway_stage_0123456789abcdef0123456789abcdef" (
    "id" bigint,
    "amount" decimal(38,18),
    "name" varchar(310),
    "free" varchar(510),
    "added" boolean,
    "segment" varchar(20),
    feedway_file integer,
    feedway_row bigint
)
diststyle even;

-- feedway golden 0123456789abcdef0123456789abcdef copy_staging
copy "feedway_stage_0123456789abcdef0123456789abcdef" (
    "id", "amount", "name", "free", "added", "segment",
    feedway_file, feedway_row
)
from 's3://lake/staging/manifest.json'
iam_role 'arn:aws:iam::1:role/copy'
format as parquet
manifest;

-- as in upsert: find_losers, delete_losers, count_rows, check_conservation

-- feedway golden 0123456789abcdef0123456789abcdef keep_stored_values
update "feedway_stage_0123456789abcdef0123456789abcdef"
set
    "segment" = "public"."customers"."segment"
from "public"."customers"
where
    "feedway_stage_0123456789abcdef0123456789abcdef"."id" = "public"."customers"."id"
    and
    "feedway_stage_0123456789abcdef0123456789abcdef".feedway_file in (
        0
    );

-- as in upsert: delete_matching_rows

-- feedway golden 0123456789abcdef0123456789abcdef insert_rows
insert into "public"."customers" (
    "id", "amount", "name", "free", "added", "segment"
)
select
    s."id", s."amount", s."name", s."free", s."added", s."segment"
from "feedway_stage_0123456789abcdef0123456789abcdef" as s;

-- as in upsert: insert_ledger

-- feedway golden 0123456789abcdef0123456789abcdef insert_loaded_job_sts
insert into "feedway"."job_sts" (
    run_id, job_id, pipeline, run_start_ts, run_end_ts,
    source_bucket, source_filename, source_etag, source_size, source_modified_ts, source_generation,
    target_table_name, records_read, records_inserted, records_updated, records_deleted, records_deduplicated,
    records_rejected, status, error_message, spec_sha256, warnings, invocation_id
)
select
    loaded.run_id, loaded.job_id, loaded.pipeline, loaded.run_start_ts,
    greatest(getdate(), loaded.run_start_ts),
    loaded.source_bucket, loaded.source_filename, loaded.source_etag, loaded.source_size, loaded.source_modified_ts,
    loaded.source_generation, loaded.target_table_name,
    coalesce(counts.winner_rows, 0) + coalesce(counts.loser_rows, 0) + loaded.records_rejected,
    coalesce(counts.winner_rows, 0) - coalesce(counts.updated_rows, 0),
    coalesce(counts.updated_rows, 0),
    0,
    coalesce(counts.loser_rows, 0),
    loaded.records_rejected, 'SUCCESS', loaded.error_message, loaded.spec_sha256, loaded.warnings,
    loaded.invocation_id
from (
    select
        0 as feedway_file,
        cast(0 as bigint) as records_rejected,
        cast('0123456789abcdef0123456789abcdef' as char(32)) as run_id,
        cast('job' as varchar(256)) as job_id,
        cast('golden' as varchar(127)) as pipeline,
        cast('2026-01-02 12:00:00.000000' as timestamp) as run_start_ts,
        cast('lake' as varchar(63)) as source_bucket,
        cast('data/in/golden/one.csv' as varchar(1024)) as source_filename,
        cast('e1' as varchar(127)) as source_etag,
        cast(20 as bigint) as source_size,
        cast('2026-01-02 12:00:00.000000' as timestamp) as source_modified_ts,
        1 as source_generation,
        cast('public.customers' as varchar(257)) as target_table_name,
        cast(null as varchar(4096)) as error_message,
        cast('5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec' as char(64)) as spec_sha256,
        cast('[{"rule": "missing-column", "column": "segment", "message": "the file has no column ''segment'': stored rows keep their values, new rows get NULL. If that is meant, say so in evolution.columns.segment.missing_columns"}]' as varchar(4096)) as warnings,
        cast('cccccccccccccccccccccccccccccccc' as char(32)) as invocation_id
) as loaded
left join "feedway_counts_0123456789ab" as counts on counts.feedway_file = loaded.feedway_file;

-- as in upsert: select_merge_counts, drop_tables
