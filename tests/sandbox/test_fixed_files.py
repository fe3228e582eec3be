"""Whole loads of files whose fields have a fixed width."""

from __future__ import annotations

import gzip
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from framework.load.result import RecordCounts
from tests.harness import FeedHarness, MakeFeed, csv_text
from tests.sandbox.test_quarantine_replay import corrected, quarantine_rows, replay

FIELDS = "fields: {id: [1, 4], name: [6, 15], amount: [17, 24], day: [26, 35]}"
ROWS = (("1", "Ann", "12.50", "2024-01-31"), ("20", "Zoë", "3", "2024-02-01"), ("300", "", "-1.25", ""))


def spec(options: str = FIELDS, more: str = "", load: str = "keys: [id]") -> str:
    return f"""
source: {{prefix: data/in/{{name}}/, format: fixed, options: {{{options}}}}}
target: {{table: "{{name}}"}}
load: {{{load}}}
metadata_columns: {{run_date: null, file_name: null}}
{more}
"""


def line(number: str, name: str, amount: str, day: str) -> str:
    return f"{number:>4} {name:10} {amount:>8} {day:10}"


def fixed(*rows: tuple[str, str, str, str]) -> str:
    return "".join(line(*row) + "\n" for row in rows)


def loaded(feed: FeedHarness) -> list[tuple[str | None, ...]]:
    rows = feed.rows("id, name, amount, day", "id")
    return [tuple(None if value is None else str(value) for value in row) for row in rows]


WHOLE = [
    ("1", "Ann", "12.5000", "2024-01-31"),
    ("20", "Zoë", "3.0000", "2024-02-01"),
    ("300", None, "-1.2500", None),
]


def test_types_are_those_of_the_same_rows_as_csv(make_feed: MakeFeed) -> None:
    feed, other = make_feed(spec()), make_feed()
    result = feed.load("1.txt", fixed(*ROWS))
    assert result.status == "SUCCESS", result.failure
    assert result.counts == RecordCounts(read=3, inserted=3, updated=0, deleted=0, deduplicated=0, rejected=0)
    other.load("1.csv", csv_text("id,name,amount,day", *ROWS))
    assert feed.types() == other.types()
    assert loaded(feed) == loaded(other)


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", content)
    return packed.getvalue()


@pytest.mark.exhaustive(every=5)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "windows-1252"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped])
def test_encodings_line_ends_and_packings(
    make_feed: MakeFeed, line_end: str, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    feed = make_feed(spec(f"{FIELDS}, encoding: [utf-8, windows-1252], skip_lines: 1, footer_lines: 1"))
    text = f"Kunden für März\n{fixed(*ROWS)}3 rows\n".replace("\n", line_end)
    result = feed.load("1.txt", pack(text.encode(encoding)))
    assert result.status == "SUCCESS", result.failure
    assert [row[1] for row in loaded(feed)] == ["Ann", "Zoë", None]


def test_format_auto_with_fields_is_fixed_and_blanks_at_the_end_may_be_missing(make_feed: MakeFeed) -> None:
    feed = make_feed(spec().replace("format: fixed", "format: auto"))
    lines = "\n".join(text.rstrip() for text in fixed(*ROWS).splitlines())
    result = feed.load("1.txt", "\n" + lines + "\n\n")
    assert result.status == "SUCCESS", result.failure
    assert len(loaded(feed)) == 3
    assert feed.load("2.txt", b'{"id": 1}\n').failure is not None


def test_bad_rows_are_named_by_row_and_line(make_feed: MakeFeed) -> None:
    feed = make_feed(spec(f"{FIELDS}, skip_lines: 1", "types: {columns: {id: integer}}"))
    good = fixed(*ROWS).splitlines()
    feed_lines = ["a title", good[0], "", good[1] + "  more", good[2].replace("300", "3x0"), good[2]]
    result = feed.load("1.txt", "\n".join(feed_lines) + "\n")
    assert result.failure is not None
    assert "the line has 41 characters, and the fields end at character 35" in result.failure.message
    assert "row 2, line 4" in result.failure.message
    assert "row 3, line 5" in result.failure.message


def test_quarantined_rows_are_loaded_once_corrected(make_feed: MakeFeed, tmp_path: Path) -> None:
    more = "types: {columns: {id: integer, amount: 'decimal(18,4)'}}\nbad_rows: {action: quarantine, max_fraction: 1}"
    feed = make_feed(spec(more=more).replace(", file_name: null", ""))
    good = fixed(*ROWS).splitlines()
    result = feed.load("1.txt", "\n".join([good[0], good[1] + "  more", good[2].replace("300", "3x0")]) + "\n")
    assert result.status == "SUCCESS", result.failure
    found = quarantine_rows(feed)
    assert [json.loads(row["record"]) for row in found] == [
        ["20", "Zoë", "3", "2024-02-01", "more"],
        ["3x0", None, "-1.25", None],
    ]

    records: dict[int, list[str | None]] = {2: [*ROWS[1]], 3: ["300", None, "-1.25", None]}
    (replayed,) = replay(feed, corrected(found, records, tmp_path / "corrected.parquet"))

    assert replayed.status == "SUCCESS", replayed.failure
    assert loaded(feed) == WHOLE


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_file_that_is_cut_off_is_set_aside(make_feed: MakeFeed, pack: Callable[[bytes], bytes]) -> None:
    text = fixed(*ROWS)
    for missing in (2, 18, 34):
        feed = make_feed(spec())
        result = feed.load("1.txt", pack(text[:-missing].encode()))
        assert result.failure is not None, missing
        assert "the last line has no line end and" in result.failure.message
        assert "the file may have been cut off" in result.failure.message
        assert "data/unprocessed/" in result.failure.full_message
    feed = make_feed(spec())
    assert feed.load("1.txt", pack(text[:-1].encode())).status == "SUCCESS"
    assert [row[1] for row in loaded(feed)] == ["Ann", "Zoë", None]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty: it has no record"),
        (" \n\n", "the file is empty: it has only blank lines"),
        (f"{'id':4} {'name':10} {'amount':8} {'day':10}\n" + fixed(*ROWS), "set source.options.skip_lines: 1"),
        (f"\n{'id':4} {'name':10} {'amount':8} {'day':10}\n" + fixed(*ROWS), "set source.options.skip_lines: 2"),
        ("1\n2\n", "its first 2 lines have at most 1 character, and the field id ends at character 4"),
        ("".join("\t".join(row) + "\n" for row in ROWS), "each of its first lines has 3 tabs: where tabs part"),
        ("x" * 200_000, "its first line does not end within"),
        (fixed(*ROWS) + line("4", "Eve\0", "1", "") + "\n", "holds a NUL character"),
        (fixed(*ROWS) + line("4", "Eve\ra", "1", "") + "\n", "the line holds a carriage return"),
    ],
)
def test_files_without_such_fields_are_rejected(make_feed: MakeFeed, content: str, message: str) -> None:
    result = make_feed(spec()).load("1.txt", content)
    assert result.failure is not None
    assert message in result.failure.message


def test_a_carriage_return_in_the_first_line_does_not_divide_it(make_feed: MakeFeed) -> None:
    for line_end, title in (("\n", ""), ("\r\n", ""), ("\n", "a title\n")):
        feed = make_feed(spec(f"{FIELDS}, skip_lines: {len(title) and 1}"))
        text = title + fixed(("1", "A\rn", "12.50", ""), *ROWS[1:]).replace("\n", line_end)
        result = feed.load("1.txt", text)
        assert result.failure is not None
        assert f"row 1, line {2 if title else 1}: the line holds a carriage return" in result.failure.message


def test_a_file_without_a_last_line_end_is_rejected_where_one_is_expected(make_feed: MakeFeed) -> None:
    result = make_feed(spec(more="expect: {last_line_end: true}")).load("1.txt", fixed(*ROWS).rstrip("\n"))
    assert result.failure is not None
    assert "the last line has no line end, and expect.last_line_end is true" in result.failure.message


def test_plan_shows_what_a_load_would_do(feed: FeedHarness) -> None:
    feed.spec_body = f"""
source: {{prefix: "data/in/{{name}}/", format: fixed, options: {{{FIELDS}}}}}
target: {{table: "{{name}}"}}
load: {{keys: [id]}}
"""
    feed.write(f"pipelines/{feed.name}.yml", feed.spec_text)
    feed.land("1.txt", fixed(*ROWS))
    code, out, err = feed.command("plan", feed.name)
    assert code == 0, err
    assert "amount" in out
    assert "line_length" not in out


def test_the_example_of_the_documentation_loads(make_feed: MakeFeed) -> None:
    page = (Path(__file__).parents[2] / "docs" / "formats.md").read_text(encoding="utf-8")
    _, content, _, source, *_ = re.split(r"```(?:yaml)?\n", page.partition("## Fixed width")[2])
    body = source.replace("data/in/customers/", '"data/in/{name}/"')
    feed = make_feed(body + 'target: {table: "{name}"}\nload: {keys: [id]}\n')
    result = feed.load("1.txt", content.encode("windows-1252"))
    assert result.status == "SUCCESS", result.failure
    assert feed.rows("id, name, cast(balance as integer)", "id") == [
        ("0000001", "Ann Miller", 13),
        ("0000002", "Zoë Groß", 1250),
        ("0000003", None, None),
    ]


TEXTS = st.text("ab1é\u0301\U0001f468,;\"'\x01\x02\x1e\x1f\u3000. -", max_size=6).map(lambda text: text.strip(" "))
TABLES = st.lists(st.tuples(TEXTS, TEXTS, st.integers(-99999, 99999).map(str)), min_size=1, max_size=12)


@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=TABLES)
def test_a_table_loads_as_it_does_from_csv(make_feed: MakeFeed, rows: list[tuple[str, str, str]]) -> None:
    feed = make_feed(spec("fields: {a: [10, 17], b: [1, 8], n: [20, 26]}", load="mode: append"))
    other = make_feed(spec("", load="mode: append").replace("format: fixed, options: {}", "format: csv"))
    lines = [f"{b:8} {a:8}  {n:>7}" for a, b, n in rows]
    quoted = [",".join(f'"{text.replace(chr(34), chr(34) * 2)}"' if text else "" for text in row) for row in rows]
    first = feed.load("1.txt", "".join(text + "\n" for text in lines))
    second = other.load("1.csv", "a,b,n\n" + "".join(text + "\n" for text in quoted))
    assert first.status == second.status == "SUCCESS", (first.failure, second.failure)
    assert feed.types() == other.types()
    columns = "n, a, b"
    assert feed.rows(columns, columns) == other.rows(columns, columns)
