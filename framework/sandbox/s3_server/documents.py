"""The XML documents of S3's answers and requests.

Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from framework.sandbox.s3_server.listing import Listing, Page
from framework.sandbox.s3_server.objects import StoredObject
from framework.sandbox.s3_server.s3_error import S3Error

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_CONTROL_CHARACTERS = re.compile("[\x00-\x1f]")

Elements = Sequence[tuple[str, "str | Elements"]]
"""Names with texts or further elements."""


def document(name: str, elements: Elements) -> bytes:
    """Return the document of an answer."""
    body = "".join(_rendered(elements))
    return f'{_DECLARATION}<{name} xmlns="{_NAMESPACE}">{body}</{name}>'.encode()


def error_document(error: S3Error, resource: str) -> bytes:
    """Return the document of an error answer, which has no namespace."""
    elements = [("Error", [("Code", error.code), ("Message", str(error)), ("Resource", resource)])]
    return (_DECLARATION + "".join(_rendered(elements))).encode()


def _rendered(elements: Elements) -> Iterator[str]:
    for name, value in elements:
        inner = _escaped(value) if isinstance(value, str) else "".join(_rendered(value))
        yield f"<{name}>{inner}</{name}>"


def _escaped(text: str) -> str:
    # XML 1.0 has no such characters; S3 sends them so all the same.
    return _CONTROL_CHARACTERS.sub(lambda found: f"&#{ord(found[0])};", escape(text))


def listed(bucket: str, listing: Listing, page: Page, query: Mapping[str, str]) -> bytes:
    """Return the answer to ListObjectsV2."""
    encode: Callable[[str], str] = quote if query.get("encoding-type") == "url" else str
    elements: list[tuple[str, str | Elements]] = [
        ("Name", bucket),
        ("Prefix", encode(listing.prefix)),
        ("MaxKeys", str(listing.size)),
        ("KeyCount", str(len(page.objects) + len(page.common_prefixes))),
        ("IsTruncated", "false" if page.token is None else "true"),
    ]
    for parameter, name in (("encoding-type", "EncodingType"), ("continuation-token", "ContinuationToken")):
        if parameter in query:
            elements.append((name, query[parameter]))
    if listing.delimiter:
        elements.append(("Delimiter", encode(listing.delimiter)))
    if page.token is not None:
        elements.append(("NextContinuationToken", page.token))
    elements += [("Contents", _listed_object(found, encode)) for found in page.objects]
    elements += [("CommonPrefixes", [("Prefix", encode(prefix))]) for prefix in page.common_prefixes]
    return document("ListBucketResult", elements)


def _listed_object(found: StoredObject, encode: Callable[[str], str]) -> Elements:
    return [
        ("Key", encode(found.key)),
        ("LastModified", iso_time(found)),
        ("ETag", f'"{found.etag}"'),
        ("Size", str(found.stamp.size_bytes)),
        ("StorageClass", "STANDARD"),
    ]


def iso_time(found: StoredObject) -> str:
    """Return when an object was written, as XML documents show it."""
    moment = datetime.fromtimestamp(found.stamp.modified_ns // 1_000_000 / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def read_deletion(content: bytes) -> tuple[list[str], bool]:
    """Return the keys of a Delete document, and whether only failures are to be answered."""
    root = _parsed(content, "Delete")
    keys = []
    for item in root.iterfind("{*}Object"):
        if len(item) != 1:
            raise S3Error(501, "NotImplemented", "Deleting several objects by version or ETag")
        keys.append(item.findtext("{*}Key", ""))
    return keys, root.findtext("{*}Quiet") == "true"


def read_parts(content: bytes) -> list[tuple[int, str]]:
    """Return the numbers and ETags of a CompleteMultipartUpload document."""
    root = _parsed(content, "CompleteMultipartUpload")
    try:
        return [
            (int(part.findtext("{*}PartNumber", "")), part.findtext("{*}ETag", "").strip('"'))
            for part in root.iterfind("{*}Part")
        ]
    except ValueError as error:
        raise _malformed() from error


def _parsed(content: bytes, name: str) -> ElementTree.Element:
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError as error:
        raise _malformed() from error
    if root.tag.rpartition("}")[2] != name:
        raise _malformed()
    return root


def _malformed() -> S3Error:
    return S3Error(400, "MalformedXML", "The XML you provided was not well-formed or did not validate")
