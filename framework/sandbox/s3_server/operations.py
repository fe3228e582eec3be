"""The operations: what each does with the objects and how it answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate

from framework.sandbox.address import REGION
from framework.sandbox.s3_server import conditions, documents
from framework.sandbox.s3_server.conditions import Conditions
from framework.sandbox.s3_server.keys import is_file_key, refused_key
from framework.sandbox.s3_server.listing import list_page, read_listing
from framework.sandbox.s3_server.objects import Objects, OpenObject, StoredObject
from framework.sandbox.s3_server.ranges import read_copied_range, read_range
from framework.sandbox.s3_server.requests import METADATA_PREFIX, Request
from framework.sandbox.s3_server.s3_error import S3Error, precondition_failed
from framework.sandbox.s3_server.uploads import Uploads

MAX_DOCUMENT_BYTES = 16 * 1024**2
MAX_DELETED = 1000


@dataclass(frozen=True)
class Answer:
    """An answer. Its content is `content` or, where there is a `file`, that one's bytes from `start` to `end`."""

    http_status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    file: OpenObject | None = None
    start: int = 0
    end: int = 0


class Operations:
    """Answers requests from the objects; for any number of threads."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._uploads = Uploads(objects)

    @contextmanager
    def answered(self, request: Request) -> Iterator[Answer]:
        """Yield the answer to a request; the file in it is open for the length of the block.

        Raises:
            S3Error: the request is refused.
        """
        operation = request.operation()
        if operation in ("GetObject", "HeadObject"):
            with self._objects.opened(request.bucket, request.key) as found:
                yield _object_answer(request, found)
        else:
            yield self._answer(operation, request)

    def _answer(self, operation: str, request: Request) -> Answer:
        match operation:
            case "PutObject":
                return self._put(request)
            case "CopyObject":
                return self._copy(request)
            case "DeleteObject":
                return self._delete(request)
            case "DeleteObjects":
                return self._delete_several(request)
            case "ListObjectsV2":
                return self._list(request)
            case "ListBuckets":
                buckets = [("Bucket", [("Name", name)]) for name in self._objects.bucket_names()]
                return _xml("ListAllMyBucketsResult", [("Buckets", buckets)])
            case "CreateBucket":
                self._objects.create_bucket(request.bucket)
                return Answer(headers={"location": f"/{request.bucket}"})
            case "HeadBucket":
                self._objects.bucket_folder(request.bucket)
                return Answer(headers={"x-amz-bucket-region": REGION})
            case "GetBucketVersioning":
                self._objects.bucket_folder(request.bucket)
                return _xml("VersioningConfiguration", [])
            case _:
                return self._answer_upload(operation, request)

    def _answer_upload(self, operation: str, request: Request) -> Answer:
        match operation:
            case "CreateMultipartUpload":
                return self._begin_upload(request)
            case "UploadPart":
                return Answer(headers={"etag": f'"{self._add_part(request, request.body.pieces())}"'})
            case "UploadPartCopy":
                return self._copy_part(request)
            case "CompleteMultipartUpload":
                return self._complete(request)
            case "AbortMultipartUpload":
                self._uploads.abort(request.query["uploadId"], request.bucket, request.key)
                return Answer(204)
            case _:
                raise AssertionError(operation)

    def _put(self, request: Request) -> Answer:
        wanted = self._writable(request)
        with self._objects.written(request.body.pieces()) as file:
            done = self._objects.put(request.bucket, request.key, file, request.metadata(), wanted)
        return Answer(headers={"etag": f'"{done.etag}"'})

    def _copy(self, request: Request) -> Answer:
        wanted = self._writable(request)
        with self._source(request) as source:
            metadata = request.metadata() if request.replaces_metadata() else source.object.metadata
            pieces = source.pieces(0, source.object.stamp.size_bytes)
            with self._objects.written(pieces) as file:
                if file.etag != source.object.etag:
                    raise precondition_failed("the object was written to while it was copied")
                done = self._objects.put(request.bucket, request.key, file, metadata, wanted)
        return _copied("CopyObjectResult", done.etag, done)

    def _delete(self, request: Request) -> Answer:
        self._objects.delete(request.bucket, request.key, conditions.of_object(request.headers))
        return Answer(204)

    def _delete_several(self, request: Request) -> Answer:
        self._objects.bucket_folder(request.bucket)
        keys, is_quiet = documents.read_deletion(request.body.read(MAX_DOCUMENT_BYTES))
        if not 1 <= len(keys) <= MAX_DELETED:
            raise S3Error(400, "MalformedXML", f"A Delete document has 1 to {MAX_DELETED} objects")
        for key in keys:
            self._objects.delete(request.bucket, key, Conditions())
        deleted = [] if is_quiet else [("Deleted", [("Key", key)]) for key in keys]
        return _xml("DeleteResult", deleted)

    def _list(self, request: Request) -> Answer:
        listing = read_listing(request.query)
        page = list_page(self._objects, request.bucket, listing)
        return _xml_answer(documents.listed(request.bucket, listing, page, request.query))

    def _begin_upload(self, request: Request) -> Answer:
        self._writable(request)
        upload_id = self._uploads.begin(request.bucket, request.key, request.metadata())
        return _xml("InitiateMultipartUploadResult", [*_named(request), ("UploadId", upload_id)])

    def _copy_part(self, request: Request) -> Answer:
        with self._source(request) as source:
            size = source.object.stamp.size_bytes
            start, end = read_copied_range(request.headers.get("x-amz-copy-source-range"), size)
            etag = self._add_part(request, source.pieces(start, end))
            if not source.is_unchanged():
                raise precondition_failed("the object was written to while it was copied")
            return _copied("CopyPartResult", etag, source.object)

    def _add_part(self, request: Request, pieces: Iterator[memoryview]) -> str:
        query = request.query
        return self._uploads.add_part(query["uploadId"], request.bucket, request.key, query["partNumber"], pieces)

    def _complete(self, request: Request) -> Answer:
        parts = documents.read_parts(request.body.read(MAX_DOCUMENT_BYTES))
        wanted = conditions.of_object(request.headers)
        done = self._uploads.complete(request.query["uploadId"], request.bucket, request.key, parts, wanted)
        return _xml("CompleteMultipartUploadResult", [*_named(request), ("ETag", f'"{done.etag}"')])

    def _writable(self, request: Request) -> Conditions:
        """Return the conditions of a write, after refusing what can be refused before a byte has come."""
        self._objects.bucket_folder(request.bucket)
        if not is_file_key(request.key):
            raise refused_key(request.key)
        request.metadata()
        return conditions.of_object(request.headers)

    @contextmanager
    def _source(self, request: Request) -> Iterator[OpenObject]:
        with self._objects.opened(*request.copy_source()) as source:
            try:
                conditions.of_copy_source(request.headers).check_read(source.object.etag)
            except S3Error as error:
                raise precondition_failed("a condition on the copy source") from error
            yield source


def _object_answer(request: Request, found: OpenObject) -> Answer:
    stored = found.object
    headers = {
        "etag": f'"{stored.etag}"',
        "last-modified": formatdate(stored.stamp.modified_ns // 1_000_000_000, usegmt=True),
        "accept-ranges": "bytes",
        "content-type": "binary/octet-stream",
        **{METADATA_PREFIX + name: value for name, value in stored.metadata.items()},
    }
    conditions.of_object(request.headers).check_read(stored.etag)
    size = stored.stamp.size_bytes
    wanted = read_range(request.headers.get("range"), size)
    if wanted is None:
        return Answer(200, headers, file=found, start=0, end=size)
    start, end = wanted
    return Answer(206, {**headers, "content-range": f"bytes {start}-{end - 1}/{size}"}, b"", found, start, end)


def _named(request: Request) -> list[tuple[str, str]]:
    return [("Bucket", request.bucket), ("Key", request.key)]


def _copied(name: str, etag: str, dated: StoredObject) -> Answer:
    return _xml(name, [("LastModified", documents.iso_time(dated)), ("ETag", f'"{etag}"')])


def _xml(name: str, elements: documents.Elements) -> Answer:
    return _xml_answer(documents.document(name, elements))


def _xml_answer(content: bytes) -> Answer:
    return Answer(headers={"content-type": "application/xml"}, content=content)
