"""Conditions of S3 calls: which servers honour them, and how an older boto3, such as AWS Glue 5.0's, sends them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

_HEADERS = {
    "CopyObject": ("IfNoneMatch", "If-None-Match"),
    "DeleteObject": ("IfMatch", "If-Match"),
    "PutObject": ("IfMatch", "If-Match"),
}
"""Each operation's conditional parameter and its header. Sources:
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html"""


_WRITES = ("PutObject", "CompleteMultipartUpload")
"""The operations that make an object of bytes that are sent. Source:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""


def honours_conditions(answer: Mapping[str, Any]) -> bool:
    """Return whether S3 itself gave an answer: it refuses a call whose condition fails, and other servers may not.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html
    """
    return bool(answer["ResponseMetadata"]["HTTPHeaders"].get("server") == "AmazonS3")


def with_conditions(client: S3Client) -> S3Client:
    """Return the client, made to send each condition as a header where it does not know the parameter."""
    for operation, (parameter, header) in _HEADERS.items():
        shape = client.meta.service_model.operation_model(operation).input_shape
        if shape is None or parameter not in shape.members:
            _send_as_header(client, operation, parameter, header)
    return client


def only_new(client: S3Client) -> S3Client:
    """Return the client, made to write objects under free keys only, whether in one call or in parts.

    By a header, because boto3's uploads take no condition.
    """
    for operation in _WRITES:
        client.meta.events.register(f"before-call.s3.{operation}", _if_free)
    return client


def _if_free(params: dict[str, Any], **_: Any) -> None:
    # Before botocore signs the headers.
    params["headers"]["If-None-Match"] = "*"


def _send_as_header(client: S3Client, operation: str, parameter: str, header: str) -> None:
    def take(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        # Before botocore checks the parameters; the context belongs to this one call.
        context[f"feedway-{parameter}"] = params.pop(parameter, None)

    def put(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        # Before botocore signs the headers.
        if (value := context.get(f"feedway-{parameter}")) is not None:
            params["headers"][header] = value

    # With an id, a handler is registered once for a client that several lakes share.
    client.meta.events.register(f"provide-client-params.s3.{operation}", take, f"feedway-take-{operation}")
    client.meta.events.register(f"before-call.s3.{operation}", put, f"feedway-put-{operation}")
