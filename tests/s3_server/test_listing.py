"""Listings: order, pages, prefixes and common prefixes."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.s3_server.conftest import Served, code_of

KEYS = ["a-b", "a.b", "a/1", "a/2/x", "a/2-x", "a0", "b/c/d/e", "Z", "é/ü", "z/%41+ &<>\"'#?"]


def listed(served: Served, **arguments: Any) -> tuple[list[str], list[str]]:
    """Return keys and common prefixes of all pages."""
    keys, prefixes = [], []
    for page in served.client.get_paginator("list_objects_v2").paginate(Bucket="lake", **arguments):
        keys += [item["Key"] for item in page.get("Contents", [])]
        prefixes += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
    return keys, prefixes


@pytest.fixture
def full(served: Served) -> Served:
    for key in KEYS:
        served.put(key)
    return served


def expected(prefix: str, delimiter: str, after: str) -> tuple[list[str], list[str]]:
    """Return what S3 lists, by its definition: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html."""
    found = sorted(key for key in KEYS if key.startswith(prefix) and key.encode() > after.encode())
    if not delimiter:
        return found, []
    rolled = {prefix + rest.partition("/")[0] + "/" for key in found if "/" in (rest := key.removeprefix(prefix))}
    return [key for key in found if "/" not in key.removeprefix(prefix)], sorted(rolled)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["", "a", "a/", "a/2", "a/2/", "b/c", "none", "z/", "é", "a//", "../"]),
    st.sampled_from(["", "/"]),
    st.sampled_from(["", *KEYS, "a", "a/", "a/2", "zz"]),
    st.integers(1, 5),
)
def test_any_listing_is_that_of_s3(full: Served, prefix: str, delimiter: str, after: str, size: int) -> None:
    arguments = {"Prefix": prefix, "Delimiter": delimiter, "StartAfter": after}
    given_ones = {name: value for name, value in arguments.items() if value}
    paging = {"PaginationConfig": {"PageSize": size}}

    assert listed(full, **given_ones, **paging) == expected(prefix, delimiter, after)


def test_a_folder_without_objects_is_not_listed(served: Served) -> None:
    (served.bucket / "empty" / "deep").mkdir(parents=True)
    assert listed(served, Delimiter="/") == ([], [])


def test_an_invalid_token_is_refused(served: Served) -> None:
    with pytest.raises(ClientError) as refused:
        served.client.list_objects_v2(Bucket="lake", ContinuationToken="=")
    assert code_of(refused) == "InvalidArgument"


def test_a_page_says_how_many_it_holds_and_whether_more_follow(full: Served) -> None:
    page = full.client.list_objects_v2(Bucket="lake", MaxKeys=4, Delimiter="/")
    assert (page["KeyCount"], page["IsTruncated"], page["MaxKeys"]) == (4, True, 4)
    assert [item["Key"] for item in page["Contents"]] == ["Z", "a-b", "a.b"]
    assert [item["Prefix"] for item in page["CommonPrefixes"]] == ["a/"]
    assert full.client.list_objects_v2(Bucket="lake", MaxKeys=0)["KeyCount"] == 0


def test_names_that_are_no_text_are_left_out(served: Served) -> None:
    served.put("a")
    (served.bucket / "\udcff").write_bytes(b"x")
    assert served.keys() == ["a"]
