"""Answers that a server would give, for tests that give them in its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders


class _Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._content


def http_answer(url: str, status: int, content: bytes) -> AWSResponse:
    """Return an answer as botocore's `before-send` takes it instead of sending the request."""
    return AWSResponse(url, status, HTTPHeaders(), _Body(content))
