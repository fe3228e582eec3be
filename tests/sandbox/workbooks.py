"""Workbooks for tests, and the feed that they are loaded by."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import openpyxl

from tests.harness import FeedHarness

# Cells have no time zone.
AT = datetime(2024, 1, 31, 12, 30, 0, 250000)  # noqa: DTZ001
SHEET = "xl/worksheets/sheet1.xml"
APPEND = """
source: {prefix: "data/in/{name}/"%s}
target: {table: "{name}"}
load: {mode: append}
metadata_columns: {run_date: null, file_name: null}
"""


def spec(source: str = "") -> str:
    return APPEND % (f", {source}" if source else "")


def workbook(*rows: Sequence[Any], **sheets: Sequence[Sequence[Any]]) -> bytes:
    """Return a workbook whose first sheet has these rows, and others by name."""
    book = openpyxl.Workbook()
    for sheet, content in ((book.active, rows), *((book.create_sheet(name), each) for name, each in sheets.items())):
        for row in content:
            sheet.append(row)
    return saved(book)


def saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def failure(feed: FeedHarness, content: bytes) -> str:
    """Return why a file does not load."""
    result = feed.load("a.xlsx", content)
    assert result.failure is not None
    return result.failure.message


def edited(content: bytes, member: str, pattern: str, replacement: str) -> bytes:
    """Return a workbook in which the text of a member is another."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as copy:
        for each in archive.infolist():
            text = archive.read(each)
            if each.filename == member:
                before = text.decode("utf-8")
                after = re.sub(pattern, replacement, before)
                assert after != before
                text = after.encode("utf-8")
            copy.writestr(each.filename, text)
    return result.getvalue()
