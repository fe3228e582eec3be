"""A file of fixed width that is divided at any byte has the fields that Python cuts out of its lines."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.errors import SourceFileError
from framework.model.file_options import FixedField, FixedOptions
from framework.model.files import FileIdentity, FileLayout, SourceBatch, SourceFile
from framework.rows import engine
from framework.rows.bench import Bench
from framework.rows.formats.fixed.fields import surplus
from framework.rows.formats.fixed.look import FixedFiles
from framework.rows.formats.recognise import first_content, require_packing
from framework.rows.formats.source import Source
from framework.rows.job import Job, Split
from framework.rows.segments import SplitRecords
from framework.spec.load import load_pipeline_text
from tests.unit.rows.benches import NOON, rows_of

FIELDS = (FixedField("b", 4, 6), FixedField("a", 1, 2), FixedField("c", 9, 9))
OPTIONS = FixedOptions(FIELDS)
SPEC = load_pipeline_text(
    "pipeline: p\nsource: {prefix: data/in/p/, format: fixed, options: {fields: {b: [4, 6], a: [1, 2], c: [9, 9]}}}\n"
    "target: {table: p}\nload: {mode: append}\n",
    "pipelines/p.yml",
    "p",
).source
LINES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=11),
        st.text(" \tab\u0301é\U0001f468\u200d\u3000\ufeff\0\x01\x02\x0b\x0c\x1e\x1f\x85\u2028", max_size=10),
    ),
    max_size=8,
)


@dataclass(frozen=True)
class CollectFields:
    """Work that returns the fields of all records as DuckDB cuts them, and the malformed records."""

    def do(self, job: Job[Any], bench: Bench, records: Sequence[SplitRecords], name: str) -> list[Any]:
        found: list[Any] = []
        for split in records:
            for segment in split.segments:
                with bench.working() as cursor:
                    rows = cursor.execute(f"select * from {segment.relation}").fetchall()
                assert len(rows) == segment.records
                found += [(split.split, segment.place(number), row) for number, row in enumerate(rows, start=1)]
            found += [(split.split, each.place, each.record) for each in split.malformed()]
        return found


def source_of(content: bytes, options: FixedOptions, is_all: bool = True) -> Source:
    """Return the beginning of a file, of which it may be all."""
    identity = FileIdentity("lake", "0.csv", "e", len(content))
    file = SourceFile("lake", "0.csv", "e", len(content), NOON, identity, NOON)
    beginning = first_content(content, is_all, require_packing(content, "auto"), 10**6)
    spec = replace(SPEC, fixed=options, encodings=(options.encoding,))
    return Source(file, spec, beginning, lambda start, end: content[start:end])


def layout_of(content: bytes, options: FixedOptions, head: bytes | None = None) -> FileLayout:
    """Return the layout of a file, of which `head` is what was read first, if not all."""
    identity = FileIdentity("lake", "0.csv", "e", len(content))
    file = SourceFile("lake", "0.csv", "e", len(content), NOON, identity, NOON)
    source = source_of(content if head is None else head, options)
    look = FixedFiles().look(source)
    assert look is not None
    assert look.header is not None
    assert isinstance(look.options, FixedOptions)
    return FileLayout(file, 0, "0.csv", look.header, look.options, look.rows_start, source.beginning.packing)


def read(layout: FileLayout, content: bytes, cuts: Sequence[int], folder: Path) -> Any:
    """Return the records of a file that is divided at some places, by ordinal; or what is wrong with it."""
    start, end = layout.rows_start.at, len(content)
    places = sorted({start, end, *(cut for cut in cuts if start < cut < end)})
    splits = [Split(0, number, begin, until, number == 0) for number, (begin, until) in enumerate(pairwise(places))]
    with pytest.MonkeyPatch.context() as patch:
        if layout.rows_start.is_divisible:
            patch.setattr(engine, "divide", lambda batch, size: splits or [Split(0, 0, start, end, True)])
        rows, _ = rows_of(SourceBatch((layout,)), [content], folder, 3)
        try:
            found = [record for part in rows._pass("read", CollectFields()) for record in part]
        except SourceFileError as error:
            return str(error)
        before = rows._before()
        return {before[0, split].records + place: record for split, place, record in found}


def expected(lines: Sequence[str], options: FixedOptions) -> dict[int, Any]:
    """Return what the lines hold, by Python."""
    records = [line for line in lines if line.strip(" \t")]
    return {
        number: line
        if surplus(line, options) or "\0" in line
        else tuple(line[field.first - 1 : field.last].strip(" \t") or None for field in options.fields)
        for number, line in enumerate(records, start=1)
    }


@settings(max_examples=15)
@given(lines=LINES, line_end=st.sampled_from(["\n", "\r\n"]))
def test_a_file_divided_at_any_byte(tmp_path_factory: pytest.TempPathFactory, lines: list[str], line_end: str) -> None:
    lines = ["1  row     ", *lines]
    content = "".join(line + line_end for line in lines).encode()
    folder, layout = tmp_path_factory.mktemp("fixed"), layout_of(content, OPTIONS)
    whole = read(layout, content, [], folder)
    assert whole == expected(lines, OPTIONS)
    for cut in range(1, len(content), 3):
        assert read(layout, content, [cut, cut + 1], folder) == whole, cut
    assert read(layout, content, range(len(content)), folder) == whole


@settings(max_examples=12)
@given(lines=LINES)
def test_a_cut_off_file_divided_at_any_byte(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    content = "\n".join(["1  row   ", *lines, "x"]).encode()
    folder, layout = tmp_path_factory.mktemp("fixed"), layout_of(content, OPTIONS)
    whole = read(layout, content, [], folder)
    assert "the last line has no line end and 1 character, and its last field begins at character 9" in whole
    assert read(layout, content, range(len(content)), folder) == whole


@settings(max_examples=12)
@given(
    lines=LINES,
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
    pack=st.sampled_from([bytes, gzip.compress]),
    skip_lines=st.integers(0, 2),
)
def test_any_encoding_line_end_and_packing(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[str],
    line_end: str,
    encoding: str,
    pack: Callable[[bytes], bytes],
    skip_lines: int,
) -> None:
    lines = ["1  row   ", *lines]
    text = "".join(line + line_end for line in [*["é title"] * skip_lines, *lines])
    content = pack(text.encode(encoding))
    options = replace(OPTIONS, encoding=encoding, skip_lines=skip_lines)
    folder, layout = tmp_path_factory.mktemp("fixed"), layout_of(content, options)
    assert layout.rows_start.line == 1 + skip_lines
    assert read(layout, content, range(len(content)), folder) == expected(lines, options)


@pytest.mark.parametrize("skip_lines", [0, 1])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_stray_line_end_is_no_end_of_a_line(tmp_path: Path, line_end: str, skip_lines: int) -> None:
    stray = "\n" if line_end == "\r" else "\r"
    lines, options = ["1  one   x", "2  two   y", "3  three z"], replace(OPTIONS, skip_lines=skip_lines)
    # In a file whose lines end with CR, a first line with an LF would be one of a file whose lines end with LF.
    for number in range(1 if line_end == "\r" else 0, len(lines)):
        for place in range(1, len(lines[0]) - 1):
            damaged = list(lines)
            damaged[number] = lines[number][:place] + stray + lines[number][place:]
            beginning = "".join(line + line_end for line in [*["a title"] * skip_lines, lines[0]])
            content = "".join(line + line_end for line in [*["a title"] * skip_lines, *damaged]).encode()
            layout = layout_of(content, options, beginning.encode() if line_end == "\r" else content)
            found = read(layout, content, range(len(content)), tmp_path)
            assert found[number + 1] == damaged[number], (number, place)
            assert {key: value for key, value in found.items() if key != number + 1} == {
                key: value for key, value in expected(lines, options).items() if key != number + 1
            }


def test_a_first_line_with_a_carriage_return_is_read_up_to_its_end(tmp_path: Path) -> None:
    long = "1 \r" + "x" * 9000
    assert FixedFiles().look(source_of(long.encode(), OPTIONS, is_all=False)) is None
    look = FixedFiles().look(source_of(f"{long}\n2".encode(), OPTIONS, is_all=False))
    assert look is not None
    assert look.rows_start.line_end == "\n"


def test_many_fields_are_cut_out_of_any_text(tmp_path: Path) -> None:
    fields = tuple(FixedField(f"f{number}", 3 * number + 1, 3 * number + 2) for number in range(300))
    options = FixedOptions(fields[::-1])
    lines = ["".join(f"{'é' if number % 2 else 'x'}{number % 7} " for number in range(size)) for size in (300, 1, 170)]
    content = "".join(line + "\n" for line in lines).encode()
    assert read(layout_of(content, options), content, [], tmp_path) == expected(lines, options)
