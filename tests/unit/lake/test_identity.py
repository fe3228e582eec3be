"""When the metadata of a moved file are believed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from framework.lake.identity import carried, identity_metadata, moved_metadata
from framework.model.files import FileIdentity, SourceFile

MD5, OTHER_MD5 = "0" * 32, "1" * 32
ARRIVED, MOVED = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
IDENTITY = FileIdentity("lake", "data/in/é 1.csv", MD5, 7)


def file(etag: str = MD5) -> SourceFile:
    identity = replace(IDENTITY, etag=etag)
    return SourceFile("lake", identity.key, etag, 7, ARRIVED, identity, ARRIVED)


def head(etag: str = MD5, size: int = 7, modified: datetime = MOVED, **more: Any) -> dict[str, Any]:
    return {"ETag": f'"{etag}"', "ContentLength": size, "LastModified": modified, **more}


def copied(etag: str, original: dict[str, Any], copy: dict[str, Any]) -> Any:
    return carried(copy | {"Metadata": moved_metadata(file(etag), original, "r1", "customers")})


def test_a_copy_says_what_it_was_when_it_arrived() -> None:
    found = copied(MD5, head(), head())

    assert (found.identity, found.arrived_at, found.moved_by) == (IDENTITY, ARRIVED, "customers")


def test_names_of_metadata_may_come_back_in_any_case() -> None:
    metadata = {name.title(): value for name, value in identity_metadata(IDENTITY, ARRIVED).items()}

    assert carried(head(Metadata=metadata)) is not None


@pytest.mark.parametrize("copy", [head(OTHER_MD5), head(size=8), head(OTHER_MD5, ServerSideEncryption="AES256")])
def test_other_content_under_old_metadata_says_nothing(copy: dict[str, Any]) -> None:
    assert copied(MD5, head(), copy) is None


@pytest.mark.parametrize(
    ("etag", "original", "copy"),
    [
        (f"{MD5}-3", head(f"{MD5}-3"), head(OTHER_MD5)),
        (MD5, head(), head(f"{OTHER_MD5}-2")),
        (MD5, head(), head(OTHER_MD5, ServerSideEncryption="aws:kms")),
        (MD5, head(ServerSideEncryption="aws:kms"), head(OTHER_MD5)),
        (MD5, head(SSECustomerAlgorithm="AES256"), head(OTHER_MD5)),
    ],
)
def test_an_etag_that_is_no_md5_of_the_bytes_says_nothing_of_them(
    etag: str, original: dict[str, Any], copy: dict[str, Any]
) -> None:
    found = copied(etag, original, copy)

    assert found is not None
    assert found.identity.etag == etag


def test_a_file_that_is_moved_once_more_is_still_what_arrived() -> None:
    kms = head(ServerSideEncryption="aws:kms")
    once = moved_metadata(file(MD5), kms, "r1", "customers")
    moved = replace(file(MD5), etag=OTHER_MD5)
    twice = moved_metadata(moved, head(OTHER_MD5, Metadata=once), "r2", "customers")

    assert carried(head(OTHER_MD5, Metadata=twice)) is not None


def test_nothing_arrives_later_than_its_copy_was_made() -> None:
    metadata = identity_metadata(IDENTITY, ARRIVED + timedelta(days=365_000))

    found = carried(head(Metadata=metadata))

    assert found is not None
    assert found.arrived_at == MOVED


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "7", "null", "{}", "[]", "[" * 3000),
        json.dumps(["lake", "k", MD5, "7", "soon"]),
        json.dumps(["lake", "k", MD5, "7", "2026-01-01"]),
        json.dumps(["lake", "k", MD5, "x", ARRIVED.isoformat()]),
        json.dumps(["lake", "k", MD5, "7", "0001-01-01T00:00:00+14:00"]),
        json.dumps(["lake", "k", MD5, "7", "9999-12-31T23:59:59-14:00"]),
        json.dumps(["lake", "k%00", MD5, "7", ARRIVED.isoformat()]),
        json.dumps(["lake", "k", "\ud800", "7", ARRIVED.isoformat()]),
    ],
)
def test_what_nobody_understands_says_nothing(text: str) -> None:
    assert carried(head(Metadata={"feedway-identity": text})) is None
