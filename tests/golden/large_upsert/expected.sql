-- === copy

-- feedway golden 0123456789abcdef0123456789abcdef drop_tables
drop table if exists "feedway"."stage_0123456789abcdef0123456789abcdef";

-- feedway golden 0123456789abcdef0123456789abcdef create_staging_table
create table "feedway"."stage_0123456789abcdef0123456789abcdef" (
    "id" bigint,
    "name" varchar(256),
    feedway_file integer,
    feedway_row bigint
)
diststyle key distkey ("id");

-- feedway golden 0123456789abcdef0123456789abcdef copy_staging
copy "feedway"."stage_0123456789abcdef0123456789abcdef" (
    "id", "name",
    feedway_file, feedway_row
)
from 's3://lake/staging/manifest.json'
iam_role 'arn:aws:iam::1:role/copy'
format as parquet
manifest;

-- === merge

-- as in upsert: lock_ledger, guard_ledger, guard_order, guard_columns

-- feedway golden 0123456789abcdef0123456789abcdef find_losers
create temp table "feedway_losers_0123456789ab" as
select feedway_file, feedway_row
from (
    select
        feedway_file,
        feedway_row,
        row_number() over (
            partition by
                "id"
            order by
                feedway_file desc,
                feedway_row desc
        ) as place
    from "feedway"."stage_0123456789abcdef0123456789abcdef"
) as ranked
where place > 1;

-- feedway golden 0123456789abcdef0123456789abcdef delete_losers
delete from "feedway"."stage_0123456789abcdef0123456789abcdef"
using "feedway_losers_0123456789ab"
where
    "feedway"."stage_0123456789abcdef0123456789abcdef".feedway_file = "feedway_losers_0123456789ab".feedway_file
    and "feedway"."stage_0123456789abcdef0123456789abcdef".feedway_row = "feedway_losers_0123456789ab".feedway_row;

-- feedway golden 0123456789abcdef0123456789abcdef find_matches
create temp table "feedway_matches_0123456789ab"
distkey ("id")
as
select
    staged."id",
    staged.feedway_file
from "feedway"."stage_0123456789abcdef0123456789abcdef" as staged
where exists (
    select 1
    from "public"."customers" as stored
    where
        stored."id" = staged."id"
);

-- feedway golden 0123456789abcdef0123456789abcdef count_rows
create temp table "feedway_counts_0123456789ab" as
select
    feedway_file,
    cast(sum(winner_rows) as bigint) as winner_rows,
    cast(sum(updated_rows) as bigint) as updated_rows,
    cast(sum(loser_rows) as bigint) as loser_rows
from (
    select feedway_file, count(*) as winner_rows, 0 as updated_rows, 0 as loser_rows
    from "feedway"."stage_0123456789abcdef0123456789abcdef"
    group by feedway_file
    union all
    select feedway_file, 0, count(*), 0
    from "feedway_matches_0123456789ab"
    group by feedway_file
    union all
    select feedway_file, 0, 0, count(*)
    from "feedway_losers_0123456789ab"
    group by feedway_file
) as counted
group by feedway_file;

-- as in upsert: check_conservation

-- feedway golden 0123456789abcdef0123456789abcdef delete_matching_rows
delete from "public"."customers"
using "feedway_matches_0123456789ab"
where
    "public"."customers"."id" = "feedway_matches_0123456789ab"."id";

-- feedway golden 0123456789abcdef0123456789abcdef insert_rows
insert into "public"."customers" (
    "id", "name"
)
select
    s."id", s."name"
from "feedway"."stage_0123456789abcdef0123456789abcdef" as s;

-- as in upsert: insert_ledger, insert_loaded_job_sts, select_merge_counts

-- feedway golden 0123456789abcdef0123456789abcdef drop_tables
drop table if exists "feedway"."stage_0123456789abcdef0123456789abcdef", "feedway_losers_0123456789ab", "feedway_counts_0123456789ab", "feedway_matches_0123456789ab";
