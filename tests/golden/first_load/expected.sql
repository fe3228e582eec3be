-- === evolve

-- feedway golden 0123456789abcdef0123456789abcdef lock_ledger
lock table "feedway"."ledger_e69979a121a9";

-- feedway golden 0123456789abcdef0123456789abcdef create_schema
create schema if not exists "sales";

-- feedway golden 0123456789abcdef0123456789abcdef create_schema
create schema if not exists "reporting";

-- feedway golden 0123456789abcdef0123456789abcdef create_target_table
create table "sales"."customers" (
    "id" bigint not null,
    "postal_code" varchar(16),
    "amount" decimal(38,18),
    "updated_at" timestamp,
    "select" varchar(310),
    "run_date" timestamp,
    "file_name" varchar(1024)
)
distkey ("id")
compound sortkey ("updated_at");

-- feedway golden 0123456789abcdef0123456789abcdef create_view
create view "reporting"."v_customers" as
select id from "sales"."customers";

-- feedway golden 0123456789abcdef0123456789abcdef delete_view_build
delete from "feedway"."view_builds"
where view_schema = 'reporting' and view_name = 'v_customers';

-- feedway golden 0123456789abcdef0123456789abcdef insert_view_build
insert into "feedway"."view_builds" (view_schema, view_name, definition_sha256, columns_sha256, run_id, built_ts)
values (
    'reporting', 'v_customers', '5d5f4f3b9fff15da2125fdd73cfc2bb72faf2cc29daedcaded4bbab2bd2f4ae5',
    '7cfe2fc6eb539928577360fec5922aef7fabe56df4f833216022361d520694b2', '0123456789abcdef0123456789abcdef', '2026-01-02 12:00:00.000000'
);

-- feedway golden 0123456789abcdef0123456789abcdef insert_schema_changes
insert into "feedway"."schema_changes" (
    changed_ts, run_id, pipeline, target_table_name,
    change, column_name, type_before, type_after, reason, source_filename, decided_by, evidence, shows_values
)
values
    (
        sysdate, '0123456789abcdef0123456789abcdef', 'golden', 'sales.customers',
        'create_table', null, null,
        'sales.customers', '7 columns', 'data/in/golden/one.csv',
        null, null, true
    ),
    (
        sysdate, '0123456789abcdef0123456789abcdef', 'golden', 'sales.customers',
        'create_columns', null, null,
        '', '7 columns', 'data/in/golden/one.csv',
        null, '[["id", "bigint", "rule", "rule for whole numbers, keys", "whole numbers, from 1 to 2"],["postal_code", "varchar(16)", "spec", "declared in the spec", null],["amount", "decimal(38,18)", "rule", "rule for numbers, other columns than keys", "numbers, up to 2 digits before and 1 after the point"],["updated_at", "timestamp", "values", "all values are timestamps", "2 values"],["select", "varchar(310)", "values", "all values are text", "the longest has 300 bytes"],["run_date", "timestamp", "feedway", "metadata column", null],["file_name", "varchar(1024)", "feedway", "metadata column", null]]', true
    );

-- feedway golden 0123456789abcdef0123456789abcdef insert_column_spellings
insert into "feedway"."column_spellings" (recorded_ts, run_id, target_table_name, column_name, spelling_sha256, spelling)
values
    (sysdate, '0123456789abcdef0123456789abcdef', 'sales.customers', 'id', 'a56145270ce6b3bebd1dd012b73948677dd618d496488bc608a3cb43ce3547dd', 'id'),
    (sysdate, '0123456789abcdef0123456789abcdef', 'sales.customers', 'postal_code', '13534a1dac6ecf141a74fba6ea7a7507da1a385649aa333a78b77fdac5b762ea', 'postal_code'),
    (sysdate, '0123456789abcdef0123456789abcdef', 'sales.customers', 'amount', 'cf38d95c9c6b1d9d5125c04d41a54df57727ef4cfb3f5116a602fe2b25115c13', 'amount'),
    (sysdate, '0123456789abcdef0123456789abcdef', 'sales.customers', 'updated_at', '20f1cce223f68ee645c8c7022dd0ac0ce6528c057cab07084639ce20db849052', 'updated_at'),
    (sysdate, '0123456789abcdef0123456789abcdef', 'sales.customers', 'select', 'b1a36d25d9633ed2ac04939fcb614ccb2b513243c148f18694592ae037f9d35f', 'select');

-- === merge

-- feedway golden 0123456789abcdef0123456789abcdef lock_ledger
lock table "feedway"."ledger_e69979a121a9";

-- feedway golden 0123456789abcdef0123456789abcdef guard_ledger
select cast(case when count(*) = 0 then '1' else 'x' end as integer)
from "feedway"."ledger_e69979a121a9"
where
    (
        source_generation >= 1
        and source_identity in (
            '3801b7cfd3ce26b1baa5a87c7792346eeb0e1e6b69f5795764beb7b6b72e4474'
        )
    );

-- feedway golden 0123456789abcdef0123456789abcdef guard_order
select cast(case when count(*) = 0 then '1' else 'x' end as integer)
from "feedway"."ledger_e69979a121a9"
where
    pipeline = 'golden'
    and source_modified_ts is not null
    and source_modified_ts > '2026-01-02 12:00:00.000000';

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
                            data_type in ('varchar', 'character varying', 'nvarchar', 'text')
                            and column_name in (
                                'postal_code', 'select', 'file_name'
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
                            data_type in ('timestamp', 'timestamp without time zone')
                            and column_name in (
                                'updated_at', 'run_date'
                            )
                        )
                        then 1
                    else 0
                end
            ) = 7
            and count(*) = 7
            then '1'
        else 'x'
    end as integer
)
from svv_columns
where table_schema = 'sales' and table_name = 'customers';

-- feedway golden 0123456789abcdef0123456789abcdef create_staging_table
create temp table "feedway_stage_0123456789abcdef0123456789abcdef" (
    "id" bigint,
    "postal_code" varchar(16),
    "amount" decimal(38,18),
    "updated_at" timestamp,
    "select" varchar(310),
    "run_date" timestamp,
    "file_name" varchar(1024),
    feedway_file integer,
    feedway_row bigint
)
diststyle key distkey ("id");

-- feedway golden 0123456789abcdef0123456789abcdef copy_staging
copy "feedway_stage_0123456789abcdef0123456789abcdef" (
    "id", "postal_code", "amount", "updated_at", "select", "run_date", "file_name",
    feedway_file, feedway_row
)
from 's3://lake/staging/manifest.json'
iam_role 'arn:aws:iam::1:role/copy'
format as parquet
manifest;

-- as in upsert: find_losers, delete_losers

-- feedway golden 0123456789abcdef0123456789abcdef count_rows
create temp table "feedway_counts_0123456789ab" as
select
    feedway_file,
    cast(sum(winner_rows) as bigint) as winner_rows,
    cast(sum(updated_rows) as bigint) as updated_rows,
    cast(sum(loser_rows) as bigint) as loser_rows
from (
    select feedway_file, count(*) as winner_rows, 0 as updated_rows, 0 as loser_rows
    from "feedway_stage_0123456789abcdef0123456789abcdef"
    group by feedway_file
    union all
    select staged.feedway_file, 0, count(*), 0
    from "feedway_stage_0123456789abcdef0123456789abcdef" as staged
    where exists (
        select 1
        from "sales"."customers" as stored
        where
            stored."id" = staged."id"
    )
    group by staged.feedway_file
    union all
    select feedway_file, 0, 0, count(*)
    from "feedway_losers_0123456789ab"
    group by feedway_file
) as counted
group by feedway_file;

-- as in upsert: check_conservation

-- feedway golden 0123456789abcdef0123456789abcdef delete_matching_rows
delete from "sales"."customers"
using "feedway_stage_0123456789abcdef0123456789abcdef"
where
    "sales"."customers"."id" = "feedway_stage_0123456789abcdef0123456789abcdef"."id";

-- feedway golden 0123456789abcdef0123456789abcdef insert_rows
insert into "sales"."customers" (
    "id", "postal_code", "amount", "updated_at", "select", "run_date", "file_name"
)
select
    s."id", s."postal_code", s."amount", s."updated_at", s."select", s."run_date", s."file_name"
from "feedway_stage_0123456789abcdef0123456789abcdef" as s;

-- feedway golden 0123456789abcdef0123456789abcdef insert_ledger
insert into "feedway"."ledger_e69979a121a9" (
    source_identity, source_generation, pipeline, source_filename, source_modified_ts, run_id, loaded_ts
)
values
    (
        '3801b7cfd3ce26b1baa5a87c7792346eeb0e1e6b69f5795764beb7b6b72e4474', 1, 'golden',
        'data/in/golden/one.csv', '2026-01-02 12:00:00.000000',
        '0123456789abcdef0123456789abcdef', '2026-01-02 12:00:00.000000'
    );

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
        cast('sales.customers' as varchar(257)) as target_table_name,
        cast(null as varchar(4096)) as error_message,
        cast('5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec' as char(64)) as spec_sha256,
        cast(null as varchar(4096)) as warnings,
        cast('cccccccccccccccccccccccccccccccc' as char(32)) as invocation_id
) as loaded
left join "feedway_counts_0123456789ab" as counts on counts.feedway_file = loaded.feedway_file;

-- as in upsert: select_merge_counts

-- feedway golden 0123456789abcdef0123456789abcdef insert_schema_changes
insert into "feedway"."schema_changes" (
    changed_ts, run_id, pipeline, target_table_name,
    change, column_name, type_before, type_after, reason, source_filename, decided_by, evidence, shows_values
)
values
    (
        sysdate, '0123456789abcdef0123456789abcdef', 'golden', 'sales.customers',
        'source_format', null, null,
        'csv', 'the first load decides the format of the files', 'data/in/golden/one.csv',
        null, null, false
    );

-- as in upsert: drop_tables
