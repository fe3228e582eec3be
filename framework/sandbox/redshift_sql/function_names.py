"""The functions of Redshift that the sandbox has."""

from __future__ import annotations

from framework.sandbox.redshift_sql.word_set import word_set

AS_WRITTEN = word_set(
    """
    abs acos asin atan atan2 cbrt ceil ceiling cos cot degrees exp floor ln log mod pi power radians random round
    sign sin sqrt tan trunc
    ascii btrim chr initcap left length lower lpad ltrim md5 octet_length quote_ident quote_literal
    repeat replace reverse right rpad rtrim split_part strpos substr substring translate trim upper
    regexp_count regexp_replace regexp_substr sha2
    add_months convert_timezone date_cmp last_day months_between timeofday to_char to_date to_number to_timestamp
    coalesce greatest least
    any_value bool_and bool_or count max min stddev stddev_pop stddev_samp sum variance var_pop var_samp
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
    percentile_cont percentile_disc
    json_parse to_varbyte from_varbyte
    array_to_string current_database format_type
    has_database_privilege has_schema_privilege has_table_privilege obj_description col_description
    pg_backend_pid pg_get_userbyid pg_get_viewdef version
    """
)
"""Functions that mean the same under their own name, in PostgreSQL or in the compatibility schema."""

RENAMED = {
    "len": "length",
    "char_length": "length",
    "character_length": "length",
    "textlen": "length",
    "pow": "power",
    "replicate": "repeat",
    "dexp": "exp",
    "dlog1": "ln",
    "dlog10": "log",
    "nvl": "coalesce",
    "isnull": "coalesce",
    "getdate": "pg_internal.getdate",
    "json_serialize": "pg_internal.json_serialize",
    "current_schema": "pg_internal.current_schema",
}

UNKNOWN_TO_REDSHIFT = word_set("array_agg generate_series string_agg unnest jsonb_agg json_agg to_json to_jsonb")
"""Functions of PostgreSQL that Redshift lacks or runs on its leader node only.

Source: https://docs.aws.amazon.com/redshift/latest/dg/c_unsupported-postgresql-functions.html
"""

LEADER_ONLY = word_set(
    """
    pg_internal.current_schema current_schema pg_internal.statement_timeout array_to_string format_type
    has_database_privilege has_schema_privilege has_table_privilege
    obj_description col_description pg_backend_pid pg_get_userbyid pg_get_viewdef version
    """
)
"""Source: https://docs.aws.amazon.com/redshift/latest/dg/c_sql-functions-leader-node.html"""

_DATE_PARTS = {
    "millennium": "millennia mil mils",
    "century": "centuries c cent cents",
    "decade": "decades dec decs",
    "epoch": "",
    "year": "years y yr yrs",
    "quarter": "quarters qtr qtrs",
    "month": "months mon mons",
    "week": "weeks w",
    "dow": "dayofweek dw weekday",
    "doy": "dayofyear dy yearday",
    "day": "days d",
    "hour": "hours h hr hrs",
    "minute": "minutes m min mins",
    "second": "seconds s sec secs",
    "milliseconds": "millisecond ms msec msecs msecond mseconds millisec millisecs millisecon",
    "microseconds": "microsecond microsec microsecs usecond useconds us usec usecs",
}
DATE_PARTS = {spelling: part for part, others in _DATE_PARTS.items() for spelling in (part, *others.split())}
"""Every spelling of a date part, and PostgreSQL's.

Source: https://docs.aws.amazon.com/redshift/latest/dg/r_Dateparts_for_datetime_functions.html
"""
