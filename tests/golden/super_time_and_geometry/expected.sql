-- === evolve

-- feedway golden 0123456789abcdef0123456789abcdef lock_ledger
lock table "feedway"."ledger_e2ffdb24b36d";

-- feedway golden 0123456789abcdef0123456789abcdef add_column
alter table "public"."shops"
add column "payload" super;

-- feedway golden 0123456789abcdef0123456789abcdef insert_schema_changes
insert into "feedway"."schema_changes" (
    changed_ts, run_id, pipeline, target_table_name,
    change, column_name, type_before, type_after, reason, source_filename, decided_by, evidence, shows_values
)
values
    (
        sysdate, '0123456789abcdef0123456789abcdef', 'golden', 'public.shops',
        'add_column', 'payload', null,
        'super', 'declared in the spec', 'data/in/golden/one.csv',
        'spec', null, true
    );

-- feedway golden 0123456789abcdef0123456789abcdef insert_column_spellings
insert into "feedway"."column_spellings" (recorded_ts, run_id, target_table_name, column_name, spelling_sha256, spelling)
values
    (sysdate, '0123456789abcdef0123456789abcdef', 'public.shops', 'payload', '239f59ed55e737c77147cf55ad0c1b030b6d7ee748a7426952f9b852d5a935e5', 'payload');

-- === merge

-- feedway golden 0123456789abcdef0123456789abcdef lock_ledger
lock table "feedway"."ledger_e2ffdb24b36d";

-- feedway golden 0123456789abcdef0123456789abcdef guard_ledger
select cast(case when count(*) = 0 then '1' else 'x' end as integer)
from "feedway"."ledger_e2ffdb24b36d"
where
    (
        source_generation >= 1
        and source_identity in (
            '3801b7cfd3ce26b1baa5a87c7792346eeb0e1e6b69f5795764beb7b6b72e4474'
        )
    );

-- feedway golden 0123456789abcdef0123456789abcdef guard_order
select cast(case when count(*) = 0 then '1' else 'x' end as integer)
from "feedway"."ledger_e2ffdb24b36d"
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
                            data_type in ('time', 'time without time zone')
                            and column_name in (
                                'opens'
                            )
                        )
                        or (
                            data_type in ('timestamptz', 'timestamp with time zone')
                            and column_name in (
                                'seen_at'
                            )
                        )
                        or (
                            data_type in ('super')
                            and column_name in (
                                'payload'
                            )
                        )
                        then 1
                    else 0
                end
            ) = 4
            and count(*) = 5
            then '1'
        else 'x'
    end as integer
)
from svv_columns
where table_schema = 'public' and table_name = 'shops';

-- feedway golden 0123456789abcdef0123456789abcdef create_staging_table
create temp table "feedway_stage_0123456789abcdef0123456789abcdef" (
    "id" bigint,
    "opens" time,
    "seen_at" timestamptz,
    "payload" super,
    "place" geometry,
    "feedway_text_1" varchar(15),
    "feedway_utc_4" timestamp,
    feedway_file integer,
    feedway_row bigint
)
diststyle even;

-- feedway golden 0123456789abcdef0123456789abcdef copy_staging
copy "feedway_stage_0123456789abcdef0123456789abcdef" (
    "id", "feedway_text_1", "feedway_utc_4", "payload",
    feedway_file, feedway_row
)
from 's3://lake/staging/manifest.json'
iam_role 'arn:aws:iam::1:role/copy'
format as parquet
manifest
serializetojson;

-- feedway golden 0123456789abcdef0123456789abcdef convert_copied
update "feedway_stage_0123456789abcdef0123456789abcdef"
set
    "seen_at" = "feedway_utc_4" at time zone 'UTC',
    "opens" = cast("feedway_text_1" as time);

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
        from "public"."shops" as stored
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

-- feedway golden 0123456789abcdef0123456789abcdef keep_stored_values
update "feedway_stage_0123456789abcdef0123456789abcdef"
set
    "place" = "public"."shops"."place"
from "public"."shops"
where
    "feedway_stage_0123456789abcdef0123456789abcdef"."id" = "public"."shops"."id"
    and
    "feedway_stage_0123456789abcdef0123456789abcdef".feedway_file in (
        0
    );

-- feedway golden 0123456789abcdef0123456789abcdef delete_matching_rows
delete from "public"."shops"
using "feedway_stage_0123456789abcdef0123456789abcdef"
where
    "public"."shops"."id" = "feedway_stage_0123456789abcdef0123456789abcdef"."id";

-- feedway golden 0123456789abcdef0123456789abcdef insert_rows
insert into "public"."shops" (
    "id", "opens", "seen_at", "payload", "place"
)
select
    s."id", s."opens", s."seen_at", s."payload", s."place"
from "feedway_stage_0123456789abcdef0123456789abcdef" as s;

-- feedway golden 0123456789abcdef0123456789abcdef insert_ledger
insert into "feedway"."ledger_e2ffdb24b36d" (
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
        cast('public.shops' as varchar(257)) as target_table_name,
        cast(null as varchar(4096)) as error_message,
        cast('5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec5bec' as char(64)) as spec_sha256,
        cast('[{"rule": "unloadable-column", "column": "place", "message": "public.shops: the column ''place'' is geometry, which Feedway cannot load: stored rows keep their values, new rows get NULL. If that is meant, list it under columns.exclude"}]' as varchar(4096)) as warnings,
        cast('cccccccccccccccccccccccccccccccc' as char(32)) as invocation_id
) as loaded
left join "feedway_counts_0123456789ab" as counts on counts.feedway_file = loaded.feedway_file;

-- as in upsert: select_merge_counts, drop_tables
