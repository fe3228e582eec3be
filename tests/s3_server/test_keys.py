"""Keys of every kind: what can be a file is one, and nothing else leaves a trace."""

from __future__ import annotations

import http.client
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.s3_server.conftest import ACCESS_KEY, Served, code_of

NO_FILES = ["a//b", "//a", "a/", "../a", "a/../b", "./a", "a/.", "a/../../escaped", "a" * 256, "é" * 128, "a\0b"]


def everything_in(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def ask(served: Served, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Ask for a path as it is, which clients would clean up."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    signed = {"authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/eu-west-1/s3/aws4_request"}
    connection.request(method, path, body, signed)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


@pytest.mark.parametrize("key", NO_FILES)
def test_a_key_that_is_no_file_name_is_refused_and_leads_nowhere(served: Served, key: str) -> None:
    (served.bucket.parent.parent / "escaped").write_bytes(b"secret")
    before = everything_in(served.bucket.parent.parent)
    path = "/lake/" + "".join(f"%{byte:02X}" if byte != 0x2F else "/" for byte in key.encode())

    status, answer = ask(served, "PUT", path, b"x")
    assert (status, b"NotImplemented" in answer) == (501, True)
    assert ask(served, "GET", path)[0] == 404
    assert ask(served, "DELETE", path)[0] == 204
    status, answer = ask(served, "POST", path + "?uploads", b"")
    assert (status, b"NotImplemented" in answer) == (501, True)
    assert everything_in(served.bucket.parent.parent) == before


def test_a_key_of_more_than_1024_bytes_is_refused_as_by_s3(served: Served) -> None:
    with pytest.raises(ClientError) as refused:
        served.put("/".join(["a" * 200] * 6))
    assert code_of(refused) == "KeyTooLongError"


@pytest.mark.parametrize("bucket", ["..", "Lake", "a", "none", "..%2Fown"])
def test_what_is_no_bucket_leads_nowhere(served: Served, bucket: str) -> None:
    status, answer = ask(served, "GET", f"/{bucket}/objects.sqlite")
    assert (status, b"NoSuchBucket" in answer) == (404, True)
    assert ask(served, "PUT", f"/{bucket}/new", b"x")[0] == 404


def test_a_copy_source_leads_no_further_than_a_path(served: Served) -> None:
    for source in ("lake/../../own/objects.sqlite", "../own/objects.sqlite", "lake/none"):
        with pytest.raises(ClientError) as refused:
            served.client.copy_object(Bucket="lake", Key="a", CopySource=source)
        assert code_of(refused) in ("NoSuchKey", "NoSuchBucket")


def test_a_key_below_another_object_is_refused_and_both_ways(served: Served) -> None:
    served.put("a/b", b"1")

    for key in ("a", "a/b/c"):
        with pytest.raises(ClientError, match="a folder in another key"):
            served.put(key, b"2")

    assert served.keys() == ["a/b"]
    assert served.read("a/b") == b"1"
    served.client.delete_object(Bucket="lake", Key="a/b")
    served.put("a", b"2")
    assert served.read("a") == b"2"


def test_a_folder_without_objects_makes_room_for_an_object(served: Served) -> None:
    (served.bucket / "a" / "b").mkdir(parents=True)
    served.put("a", b"2")
    assert served.read("a") == b"2"


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1, max_size=40).filter(
    lambda name: name not in (".", "..") and len(name.encode()) <= 255
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(names, min_size=1, max_size=3).map("/".join), st.binary(max_size=20))
def test_any_path_is_a_key(served: Served, key: str, body: bytes) -> None:
    key = f"any/{key}/end"
    served.put(key, body)

    assert served.read(key) == body
    assert served.keys() == [key]
    assert served.keys(Prefix=key[:6]) == [key]
    assert (served.bucket / key).read_bytes() == body
    served.client.delete_object(Bucket="lake", Key=key)
    assert served.keys() == []
    assert everything_in(served.bucket) == set()
