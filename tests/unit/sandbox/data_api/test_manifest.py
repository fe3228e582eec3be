"""A manifest is read strictly."""

from __future__ import annotations

import json
from typing import Any

import pytest

from framework.sandbox.data_api.manifest import ManifestEntry, read_manifest, split_url
from framework.sandbox.redshift_sql import Refused


def manifest(*entries: Any) -> bytes:
    return json.dumps({"entries": entries}).encode()


def test_files_are_optional_unless_the_manifest_says_otherwise() -> None:
    entries = read_manifest(
        manifest(
            {"url": "s3://b/k/a", "meta": {"content_length": 1}},
            {"url": "s3://b/k//b", "mandatory": True, "meta": {"content_length": 2}},
        )
    )
    assert entries == (ManifestEntry("b", "k/a", False, 1), ManifestEntry("b", "k//b", True, 2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "Problem reading manifest file - it is no JSON"),
        (b"{}", "Problem reading manifest file - it has no list of entries"),
        (manifest(), "Problem reading manifest file - it has no list of entries"),
        (manifest({"url": "s3://b/k", "meta": {"content_length": "1"}}), "content_length of the entry s3://b/k"),
        (manifest({"url": "s3://b/k", "size": 1}), "unknown member 'size'"),
        (manifest({"url": "b/k", "meta": {"content_length": 1}}), "MANIFEST needs a full path"),
        (manifest({"url": "s3://b/k"}), "Spectrum Scan Error"),
    ],
)
def test_what_is_no_manifest_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(Refused) as caught:
        read_manifest(content)
    assert message in caught.value.message


@pytest.mark.parametrize("url", ["https://b/k", "s3://b", "s3://b/", "s3:///k"])
def test_an_address_names_a_bucket_and_an_object(url: str) -> None:
    with pytest.raises(Refused):
        split_url(url)
