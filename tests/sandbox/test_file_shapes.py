"""Files that do not look like their feed: rejected before anything changes, with advice that loads them."""

from __future__ import annotations

import bz2
from collections.abc import Callable

import pytest

from framework.results import LoadResult
from tests.workshop import Workshop

Feed = Callable[..., Workshop]


def spec(options: str = "", more: str = "load: {mode: append}") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/, options: {{{options}}}}}
target: {{table: "{{name}}"}}
metadata_columns: {{run_date: null, file_name: null}}
{more}
"""


def rejected(result: LoadResult) -> str:
    """Return why a file was rejected."""
    assert result.status == "FAILED"
    assert result.failure is not None
    assert result.failure.type == "SourceFileError", result.failure.message
    return result.failure.message


def test_a_byte_order_mark_of_another_encoding_changes_nothing(feed: Feed) -> None:
    shop = feed(spec("encoding: iso-8859-1"))
    shop.load("a.csv", "v,id\ncafé,3\n".encode("iso-8859-1"))

    message = rejected(shop.load("b.csv", "\ufeffv,id\nthé,4\n".encode()))

    assert "the byte order mark says UTF-8, and source.options.encoding is iso-8859-1" in message
    assert list(shop.types()) == ["v", "id"]
    assert shop.rows("v, id", "id") == [("café", 3)]
    shop.spec_body = spec("encoding: utf-8")
    (advised,) = shop.run(unprocessed=True)
    assert advised.status == "SUCCESS"
    assert shop.rows("v, id", "id") == [("café", 3), ("thé", 4)]


@pytest.mark.parametrize(
    ("content", "named"),
    [(bz2.compress(b"id\n1\n"), "packed with bzip2"), (b'{"a":1,"b":"x"}\n{"a":2,"b":"y"}\n', "JSON lines")],
)
def test_another_format_is_named(feed: Feed, content: bytes, named: str) -> None:
    shop = feed(spec())

    assert f"the file is {named}, and the feed reads CSV" in rejected(shop.load("a.csv", content))
    assert shop.types() == {}
