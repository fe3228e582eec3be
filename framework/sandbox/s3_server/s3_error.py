"""What the server answers when it does not do what was asked, in S3's words."""

from __future__ import annotations

from collections.abc import Mapping


class S3Error(Exception):
    """An error answer.

    Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    """

    def __init__(self, http_status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.headers = headers or {}


def no_such_key(key: str) -> S3Error:
    """Return the error for an object that is not there."""
    return S3Error(404, "NoSuchKey", f"The specified key does not exist: {key}")


def invalid(message: str) -> S3Error:
    """Return the error for a request that S3 would not understand either."""
    return S3Error(400, "InvalidArgument", message)


def precondition_failed(condition: str) -> S3Error:
    """Return the error for a condition that does not hold."""
    return S3Error(412, "PreconditionFailed", f"At least one of the preconditions did not hold: {condition}")


def not_supported(what: str) -> S3Error:
    """Return the error for what S3 does and the sandbox does not."""
    return S3Error(501, "NotImplemented", f"{what} is not supported by the sandbox")
