"""Writing, reading and deleting objects as boto3 does."""

from __future__ import annotations

import hashlib
import http.client
import io
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from framework.sandbox.s3_server.conditions import Conditions
from framework.sandbox.s3_server.objects import Objects
from tests.s3_server.conftest import ACCESS_KEY, Served, client_of, code_of

MIB = 1024**2


def random_bytes(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def test_metadata_is_kept_by_a_server_that_comes_later(tmp_path: Path) -> None:
    (tmp_path / "buckets" / "lake").mkdir(parents=True)
    first = Objects(tmp_path / "buckets", tmp_path / "own")
    with first.written([memoryview(b"1")]) as file:
        etag = first.put("lake", "a", file, {"who": "me"}, Conditions()).etag
    first.close()

    second = Objects(tmp_path / "buckets", tmp_path / "own")
    found = second.describe("lake", "a")
    second.close()

    assert found is not None
    assert (found.etag, found.metadata) == (etag, {"who": "me"})


def test_metadata_of_an_object_put_anew_is_its_own(served: Served) -> None:
    served.put("a", b"1", Metadata={"who": "me"})
    served.put("a", b"1")
    assert served.head("a")["Metadata"] == {}


@pytest.mark.parametrize("size", [0, 1, 70_000, 3 * MIB + 1])
def test_what_was_put_is_read_in_whole_and_in_ranges(served: Served, size: int) -> None:
    body = random_bytes(size)
    served.put("a", body)

    assert served.read("a") == body
    assert served.head("a")["ContentLength"] == size
    if size > 1:
        assert served.read("a", Range=f"bytes=1-{size}") == body[1:]
        assert served.read("a", Range="bytes=-5") == body[-5:]
        part = served.client.get_object(Bucket="lake", Key="a", Range=f"bytes={size // 2}-{size // 2}")
        assert part["ContentRange"] == f"bytes {size // 2}-{size // 2}/{size}"
        assert part["Body"].read() == body[size // 2 : size // 2 + 1]
    with pytest.raises(ClientError) as nothing:
        served.read("a", Range=f"bytes={size}-")
    assert code_of(nothing) == "InvalidRange"


def test_eight_concurrent_ranges_make_the_file(served: Served) -> None:
    body = random_bytes(40 * MIB)
    served.drop("a", body)
    ranges = [f"bytes={start}-{start + 5 * MIB - 1}" for start in range(0, 40 * MIB, 5 * MIB)]

    with ThreadPoolExecutor(8) as pool:
        read = b"".join(pool.map(lambda part: served.read("a", Range=part), ranges))

    assert hashlib.sha256(read).digest() == hashlib.sha256(body).digest()


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_a_checksum_that_is_not_that_of_the_body_refuses_it(served: Served, algorithm: str) -> None:
    served.put("a", b"right", ChecksumAlgorithm=algorithm)
    with pytest.raises(ClientError) as refused:
        served.put("b", b"wrong", **{f"Checksum{algorithm}": "AAAAAA=="})

    assert code_of(refused) == "BadDigest"
    assert served.keys() == ["a"]


def chunked(served: Served, chunks: list[bytes], trailer: str, announced: int) -> tuple[int, bytes]:
    """Put an object as clients do that sign while they send."""
    body = b"".join(b"%x;chunk-signature=00\r\n%s\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])[:-2]
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    connection.request(
        "PUT",
        "/lake/chunked",
        body + trailer.encode() + b"\r\n",
        {
            "authorization": f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/20260101/eu-west-1/s3/aws4_request",
            "content-encoding": "aws-chunked",
            "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            "x-amz-decoded-content-length": str(announced),
            "x-amz-trailer": "x-amz-checksum-crc32",
        },
    )
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def test_a_body_in_signed_chunks_is_put_without_their_heads(served: Served) -> None:
    # The CRC-32 of "123456789" is cbf43926, the check value of its definition.
    status, _ = chunked(served, [b"1234", b"56789"], "x-amz-checksum-crc32:y/Q5Jg==\r\n", 9)
    assert (status, served.read("chunked")) == (200, b"123456789")


@pytest.mark.parametrize(("trailer", "announced", "code"), [("AAAAAA==", 9, b"BadDigest"), ("y/Q5Jg==", 8, b"Incomp")])
def test_chunks_that_are_not_what_they_claim_are_refused(
    served: Served, trailer: str, announced: int, code: bytes
) -> None:
    status, answer = chunked(served, [b"123456789"], f"x-amz-checksum-crc32:{trailer}\r\n", announced)
    assert (status, code in answer) == (400, True)
    assert served.keys() == []


def test_a_body_that_ends_early_leaves_the_object_as_it_was(served: Served) -> None:
    served.put("a", b"old")
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    connection.putrequest("PUT", "/lake/a")
    connection.putheader("authorization", f"Credential={ACCESS_KEY}/")
    connection.putheader("content-length", "100")
    connection.endheaders(b"new")
    connection.close()

    assert served.read("a") == b"old"
    assert served.keys() == ["a"]


def test_readers_of_an_object_that_is_put_see_one_or_the_other(served: Served) -> None:
    bodies = [bytes([number]) * 100_000 for number in range(2)]
    served.put("a", bodies[0])
    seen: set[bytes] = set()
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.add(served.read("a"))

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        for number in range(40):
            served.put("a", bodies[number % 2])
        done.set()
        for reader in readers:
            reader.result()

    assert seen <= set(bodies)


def test_metadata_survives_readers_at_the_moment_of_the_put(served: Served) -> None:
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            served.keys()

    with ThreadPoolExecutor(2) as pool:
        lookers = [pool.submit(look) for _ in range(2)]
        for number in range(60):
            served.put("a", b"%d" % number, Metadata={"number": str(number)})
            assert served.head("a")["Metadata"] == {"number": str(number)}
        done.set()
        for looker in lookers:
            looker.result()


def test_a_copy_takes_or_replaces_the_metadata(served: Served) -> None:
    served.put("a", b"1", Metadata={"who": "me"})
    source = {"Bucket": "lake", "Key": "a"}

    served.client.copy_object(Bucket="lake", Key="b", CopySource=source)
    served.client.copy_object(
        Bucket="lake", Key="c", CopySource=source, Metadata={"why": "so"}, MetadataDirective="REPLACE"
    )

    assert served.head("b")["Metadata"] == {"who": "me"}
    assert served.head("c")["Metadata"] == {"why": "so"}
    assert served.read("c") == b"1"


def test_conditions_hold_as_in_s3(served: Served) -> None:
    etag = served.put("a", b"1")
    source = {"Bucket": "lake", "Key": "a"}
    refused: list[Callable[[], object]] = [
        lambda: served.read("a", IfMatch='"other"'),
        lambda: served.put("a", b"2", IfNoneMatch="*"),
        lambda: served.put("a", b"2", IfMatch='"other"'),
        lambda: served.client.copy_object(Bucket="lake", Key="b", CopySource=source, CopySourceIfMatch='"other"'),
        lambda: served.client.copy_object(Bucket="lake", Key="a", CopySource=source, IfNoneMatch="*"),
        lambda: served.client.delete_object(Bucket="lake", Key="a", IfMatch='"other"'),
    ]
    for call in refused:
        with pytest.raises(ClientError) as error:
            call()
        assert code_of(error) in ("PreconditionFailed", "412")
    assert (served.keys(), served.read("a")) == (["a"], b"1")

    assert served.read("a", IfMatch=etag) == b"1"
    served.put("b", b"2", IfNoneMatch="*")
    served.put("a", b"3", IfMatch=etag)
    served.client.delete_object(Bucket="lake", Key="b", IfMatch=served.head("b")["ETag"])
    assert (served.keys(), served.read("a")) == (["a"], b"3")


def test_of_many_who_create_an_object_one_does(served: Served) -> None:
    def create(number: int) -> bool:
        try:
            served.put("a", b"%d" % number, IfNoneMatch="*")
        except ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(32))) == 1


def test_an_upload_in_parts_is_whole_or_not_there(served: Served) -> None:
    body = random_bytes(17 * MIB + 3)
    served.client.upload_fileobj(io.BytesIO(body), "lake", "big", ExtraArgs={"Metadata": {"who": "me"}})
    upload = served.client.create_multipart_upload(Bucket="lake", Key="copy")["UploadId"]
    named = {"Bucket": "lake", "Key": "copy", "UploadId": upload}
    parts = []
    for number, first in enumerate(range(0, len(body), 6 * MIB), start=1):
        part = served.client.upload_part_copy(
            **named,
            PartNumber=number,
            CopySource={"Bucket": "lake", "Key": "big"},
            CopySourceRange=f"bytes={first}-{min(first + 6 * MIB, len(body)) - 1}",
        )
        parts.append({"PartNumber": number, "ETag": part["CopyPartResult"]["ETag"]})
    assert served.keys() == ["big"]

    with pytest.raises(ClientError) as refused:
        served.client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts[::-1]})
    assert code_of(refused) == "InvalidPartOrder"
    served.client.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})

    assert served.read("copy") == served.read("big") == body
    assert served.head("big")["Metadata"] == {"who": "me"}
    assert served.head("copy")["ETag"] == served.head("big")["ETag"]
    assert list((served.own / "unfinished").iterdir()) == []


def test_an_aborted_upload_leaves_nothing(served: Served) -> None:
    named = {"Bucket": "lake", "Key": "a"}
    named["UploadId"] = served.client.create_multipart_upload(**named)["UploadId"]
    served.client.upload_part(**named, PartNumber=1, Body=b"x")
    served.client.abort_multipart_upload(**named)

    with pytest.raises(ClientError) as gone:
        served.client.upload_part(**named, PartNumber=1, Body=b"x")
    assert code_of(gone) == "NoSuchUpload"
    assert served.keys() == []
    assert list((served.own / "unfinished").iterdir()) == []


def test_a_deletion_takes_the_folders_that_are_empty_without_it(served: Served) -> None:
    for key in ("a/b/1", "a/c/2"):
        served.put(key)
    served.client.delete_objects(Bucket="lake", Delete={"Objects": [{"Key": "a/b/1"}, {"Key": "never/there"}]})
    assert [path.name for path in (served.bucket / "a").iterdir()] == ["c"]
    served.client.delete_object(Bucket="lake", Key="a/c/2")
    assert list(served.bucket.iterdir()) == []


def test_only_the_access_key_of_the_sandbox_opens_it(served: Served) -> None:
    other = client_of(served.port, "AKIAOTHER")
    with pytest.raises(ClientError) as refused:
        other.list_objects_v2(Bucket="lake")
    other.close()
    assert code_of(refused) == "InvalidAccessKeyId"


def test_whatever_else_s3_does_is_refused_by_name(served: Served) -> None:
    served.put("a")
    named = {"Bucket": "lake", "Key": "a"}
    calls: dict[str, Callable[[], object]] = {
        "tagging": lambda: served.client.get_object_tagging(**named),
        "acl": lambda: served.client.put_object_acl(**named, ACL="private"),
        "versionId": lambda: served.client.get_object(**named, VersionId="1"),
        "x-amz-storage-class": lambda: served.put("a", StorageClass="GLACIER"),
        "x-amz-server-side-encryption": lambda: served.put("a", ServerSideEncryption="AES256"),
        "delimiter": lambda: served.keys(Delimiter="-"),
        "GET of a bucket": lambda: served.client.list_objects(Bucket="lake"),
    }
    for name, call in calls.items():
        with pytest.raises(ClientError, match=name) as refused:
            call()
        assert code_of(refused) == "NotImplemented"


def test_buckets_are_folders(served: Served) -> None:
    served.client.create_bucket(Bucket="other", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    (served.bucket.parent / "dropped").mkdir()

    assert [found["Name"] for found in served.client.list_buckets()["Buckets"]] == ["dropped", "lake", "other"]
    headers = served.client.head_bucket(Bucket="dropped")["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-amz-bucket-region"] == "eu-west-1"
    assert "Status" not in served.client.get_bucket_versioning(Bucket="dropped")
    with pytest.raises(ClientError) as missing:
        served.client.list_objects_v2(Bucket="none")
    assert code_of(missing) == "NoSuchBucket"
