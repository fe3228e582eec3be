-- === merge

-- as in upsert: lock_ledger, guard_ledger

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
                                'line'
                            )
                        )
                        or (
                            data_type in ('timestamp', 'timestamp without time zone')
                            and column_name in (
                                'updated_at'
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
            ) = 4
            and count(*) = 4
            then '1'
        else 'x'
    end as integer
)
from svv_columns
where table_schema = 'public' and table_name = 'customers';

-- feedway golden 0123456789abcdef0123456789abcdef create_staging_table
create temp table "feedway_stage_0123456789abcdef0123456789abcdef" (
    "id" bigint,
    "line" integer,
    "updated_at" timestamp,
    "name" varchar(256),
    feedway_file integer,
    feedway_row bigint
)
diststyle even;

-- feedway golden 0123456789abcdef0123456789abcdef copy_staging
copy "feedway_stage_0123456789abcdef0123456789abcdef" (
    "id", "line", "updated_at", "name",
    feedway_file, feedway_row
)
from 's3://lake/staging/manifest.json'
iam_role 'arn:aws:iam::1:role/copy'
format as parquet
manifest;

-- feedway golden 0123456789abcdef0123456789abcdef find_losers
create temp table "feedway_losers_0123456789ab" as
select feedway_file, feedway_row
from (
    select
        feedway_file,
        feedway_row,
        row_number() over (
            partition by
                "id",
                "line"
            order by
                feedway_file desc,
                feedway_row desc
        ) as place
    from "feedway_stage_0123456789abcdef0123456789abcdef"
) as ranked
where place > 1;

-- as in upsert: delete_losers

-- feedway golden 0123456789abcdef0123456789abcdef find_stored_rows
insert into "feedway_losers_0123456789ab" (feedway_file, feedway_row)
select distinct staged.feedway_file, staged.feedway_row
from "feedway_stage_0123456789abcdef0123456789abcdef" as staged
inner join "public"."customers" as stored
    on
        staged."id" = stored."id"
        and staged."line" = stored."line";

-- as in upsert: delete_losers

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
        from "public"."customers" as stored
        where
            stored."id" = staged."id"
            and stored."line" = staged."line"
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
delete from "public"."customers"
using "feedway_stage_0123456789abcdef0123456789abcdef"
where
    "public"."customers"."id" = "feedway_stage_0123456789abcdef0123456789abcdef"."id"
    and "public"."customers"."line" = "feedway_stage_0123456789abcdef0123456789abcdef"."line";

-- feedway golden 0123456789abcdef0123456789abcdef insert_rows
insert into "public"."customers" (
    "id", "line", "updated_at", "name"
)
select
    s."id", s."line", s."updated_at", s."name"
from "feedway_stage_0123456789abcdef0123456789abcdef" as s;

-- feedway golden 0123456789abcdef0123456789abcdef insert_ledger
insert into "feedway"."ledger_dfb56e0ba4df" (
    source_identity, source_generation, pipeline, source_filename, source_modified_ts, run_id, loaded_ts
)
values
    (
        '3801b7cfd3ce26b1baa5a87c7792346eeb0e1e6b69f5795764beb7b6b72e4474', 1, 'golden',
        'data/in/golden/one.csv', null,
        '0123456789abcdef0123456789abcdef', '2026-01-02 12:00:00.000000'
    );

-- as in upsert: insert_loaded_job_sts, select_merge_counts, drop_tables
