"""COPY is read whatever the order of its options, and refuses what Parquet does not take."""

from __future__ import annotations

import itertools

import pytest

from framework.sandbox.redshift_sql import CopyParquet, Refused, parse

OPTIONS = ("iam_role default", "format as parquet", "manifest", "fillrecord", "statupdate on", "serializetojson")


@pytest.mark.exhaustive(every=6)
@pytest.mark.parametrize("options", list(itertools.permutations(OPTIONS)), ids=lambda value: "")
def test_options_come_in_any_order(options: tuple[str, ...]) -> None:
    parsed = parse(f"copy s.t (\"A\"\"b\", c) from 's3://bucket/a\\\\b''c' {' '.join(options)}")

    flags = frozenset({"FILLRECORD", "SERIALIZETOJSON"})
    assert parsed.copy == CopyParquet("s", "t", ('a"b', "c"), "s3://bucket/a\\b'c", True, "default", flags)


@pytest.mark.parametrize("format_sql", ["format as parquet", "format parquet", "as parquet", "parquet"])
def test_the_format_may_be_short(format_sql: str) -> None:
    copy = parse(f"copy t from 's3://b/k' iam_role 'arn:aws:iam::1:role/r' {format_sql}").copy

    assert copy == CopyParquet(None, "t", None, "s3://b/k", False, "arn:aws:iam::1:role/r")


@pytest.mark.parametrize(
    "option", ["truncatecolumns", "maxerror 5", "region 'eu-west-1'", "compupdate off", "gzip", "null as 'x'", "noload"]
)
def test_an_option_that_is_not_for_parquet_is_refused(option: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(f"copy t from 's3://b/k' {option} iam_role default format as parquet")

    name = option.split()[0].upper()
    assert refused.value.message == f"{name} argument is not supported for PARQUET based COPY"


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("iam_role default csv", "COPY from CSV is not supported by the sandbox"),
        ("iam_role default format as json 'auto'", "COPY from JSON is not supported by the sandbox"),
        ("iam_role default", "COPY from delimited text is not supported by the sandbox"),
        ("credentials 'x' parquet", "COPY with CREDENTIALS is not supported by the sandbox"),
        ("iam_role default parquet explicit_ids", "COPY with EXPLICIT_IDS is not supported by the sandbox"),
        ("parquet", "Must specify IAM_ROLE or CREDENTIALS for COPY"),
        ("iam_role default parquet bogus", 'syntax error at or near "bogus"'),
    ],
)
def test_other_copies_are_refused(rest: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        parse(f"copy t from 's3://b/k' {rest}")

    assert refused.value.message == message
