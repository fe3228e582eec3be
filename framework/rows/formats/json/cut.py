"""Cuts lines of JSON into records: their keys, those that are none, those that DuckDB would not read exactly."""

from __future__ import annotations

import codecs
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import field, replace

import duckdb

from framework.dataclass import dataclass
from framework.model.file_options import JsonOptions
from framework.model.files import FileLayout
from framework.rows.bench import Bench
from framework.rows.formats.json.exact import NoRecord, is_cut_off, rewritten
from framework.rows.formats.json.paths import MOST_PATHS, TOO_MANY_PATHS, leaves
from framework.rows.formats.json.pointer import pointer
from framework.rows.formats.json.table import JsonTable
from framework.rows.formats.lines.cut import DELIMITER, NUL, CutLines, LineCutter, records_of
from framework.rows.formats.text.format import BrokenRecord, BrokenText
from framework.rows.segments import MalformedRecord, Segment, SplitRecords
from framework.rows.sql.expressions import is_kept_by_double, quoted
from framework.rows.sql.json_text import has_duplicate_key

_UNSOUND = (NUL, DELIMITER.encode(), b"\r")
"""What no line of JSON holds: a carriage return within it would end it for DuckDB."""
_ROWS_PER_FETCH = 1024
CUT_OFF = "the file ends in the middle of its last record: it may have been cut off"
_BLANK = "[ \\t]*"
_VALUE_BEGINS = rf"[:,\[]{_BLANK}"
_LONG_FRACTION = r"[0-9]{7,}\.[0-9]+|[0-9]+\.[0-9]{10,}"
"""The fractions of more than 15 digits, which every float keeps, and some others."""
_EXPONENT = r"[eE][-+]?[0-9]+"
_MAY_BE_INEXACT = rf"{_VALUE_BEGINS}-?(?:[0-9.]{{17,}}|[0-9]+(?:\.[0-9]+)?[eE])"
_FRACTIONS = rf"{_VALUE_BEGINS}(-?(?:(?:{_LONG_FRACTION})(?:{_EXPONENT})?|[0-9]+(?:\.[0-9]+)?{_EXPONENT}))"
_LAST_COMMA = rf",{_BLANK}[}}\]]"
_IS_KEPT = f"case when cast(try_cast(n as double) as varchar) = n then true else {is_kept_by_double('n')} end"
_ARE_KEPT = f"list_bool_and(list_transform(regexp_extract_all(l, {quoted(_FRACTIONS)}, 1), lambda n: {_IS_KEPT}))"
_IS_SUSPECT = (
    f"(regexp_matches(l, {quoted(_LAST_COMMA)}) or case when regexp_matches(l, {quoted(_MAY_BE_INEXACT)}) then "
    f"not coalesce({_ARE_KEPT}, true) else false end)"
)
"""The condition that DuckDB may read a record otherwise than it is written: a fraction that no float keeps, or a comma
behind the last element. A text may look like one; then the record is read exactly for nothing."""
_KEYS = "case when starts_with(ltrim(l, chr(9) || ' '), '{') then try(json_keys(l)) end"


_IS_DOUBTFUL = (
    "is_suspect or keys is null or len(keys) <> len(list_distinct(keys)) or contains(array_to_string(keys, ''), chr(0))"
)


@dataclass
class _Checked:
    """What is found of a file of lines: keys by the first line that has them, and, by their number, other lines.

    These are no records, or are rewritten.
    """

    keys: list[tuple[int, Sequence[str]]] = field(default_factory=list)
    malformed: dict[int, str] = field(default_factory=dict)
    rewritten: dict[int, str] = field(default_factory=dict)


class JsonCutter:
    """Cuts one split, once; see Cutter."""

    def __init__(self, layout: FileLayout, options: JsonOptions, split: int, bench: Bench, stem: str) -> None:
        self._layout = layout
        self._nested = options.nested
        self._split = split
        self._bench = bench
        self._path = bench.folder / f"{stem}.jsonl"
        self._malformed_path = bench.folder / f"{stem}-malformed.jsonl"

    def cut(self, text: Iterable[bytes], size_bytes: int, is_last: bool) -> SplitRecords:
        """Return the records of a text.

        Raises:
            BrokenRecord: the file is broken.
            BrokenText: its records have too many keys, or are nested too deeply for columns.
        """
        lines = LineCutter(self._layout, self._path, _UNSOUND, has_mark=True).cut(text, size_bytes, is_last)
        with self._bench.querying() as cursor:
            return self._records(cursor, lines)

    def _records(self, cursor: duckdb.DuckDBPyConnection, lines: CutLines) -> SplitRecords:
        table = JsonTable(self._path, lines.size_bytes, lines.longest_bytes)
        dropped = array("q", [found.place for found in lines.malformed])
        count = lines.records - len(dropped)
        segment = Segment(self._layout, self._split, self._path, table, 0, count, lines.size_bytes, dropped)
        checked = self._checked(cursor, table) if count else _Checked()
        last = checked.malformed.get(count, "")
        if lines.unended and last.encode("utf-8") == lines.unended and is_cut_off(last):
            raise BrokenRecord(lines.records, CUT_OFF)
        malformed = [*lines.malformed]
        malformed += [MalformedRecord(segment.place(number), line) for number, line in checked.malformed.items()]
        malformed.sort(key=lambda found: found.place)
        if checked.malformed or checked.rewritten:
            segment = self._rewritten(segment, checked, array("q", [found.place for found in malformed]))
        names = dict.fromkeys(name for _, keys in sorted(checked.keys) for name in keys)
        paths = tuple(map(pointer, names))
        if len(paths) > MOST_PATHS:
            raise BrokenText(TOO_MANY_PATHS, may_load=True)
        if self._nested == "flatten" and segment.records:
            assert isinstance(segment.table, JsonTable)
            paths = leaves(cursor, segment.table, paths)
        return records_of(segment, lines, malformed, self._malformed_path, paths)

    def _checked(self, cursor: duckdb.DuckDBPyConnection, table: JsonTable) -> _Checked:
        numbered = f"(select l, row_number() over () as number from {table.lines})"
        suspect = _IS_SUSPECT
        if self._nested != "super":
            # A value of SUPER is checked for keys that an object has twice when it is staged.
            suspect += f" or case when contains(l[2:], '{{') then {has_duplicate_key('l')} else false end"
        keyed = f"(select *, {_KEYS} as keys, ({suspect}) as is_suspect from {numbered})"
        shapes = cursor.execute(
            f"select keys, is_suspect, min(number) from {keyed} group by keys, is_suspect"
        ).fetchall()
        checked = _Checked()
        is_doubtful = False
        for keys, is_suspect, first in shapes:
            if is_suspect or keys is None or len(set(keys)) < len(keys) or any("\0" in key for key in keys):
                is_doubtful = True
            else:
                checked.keys.append((first, keys))
        if is_doubtful:
            self._judge(cursor.execute(f"select number, l from {keyed} where {_IS_DOUBTFUL}"), checked)
        return checked

    def _judge(self, doubtful: duckdb.DuckDBPyConnection, checked: _Checked) -> None:
        while rows := doubtful.fetchmany(_ROWS_PER_FETCH):
            for number, line in rows:
                try:
                    keys, checked.rewritten[number] = rewritten(line, self._nested == "flatten")
                    checked.keys.append((number, keys))
                except NoRecord:
                    checked.malformed[number] = line

    def _rewritten(self, segment: Segment, checked: _Checked, dropped: array[int]) -> Segment:
        """Write the lines anew, without those that are no records; return their segment."""
        path = self._path.with_suffix(".records.jsonl")
        size = longest = records = 0
        with self._path.open("rb") as lines, path.open("wb") as file:
            lines.read(len(codecs.BOM_UTF8))
            file.write(codecs.BOM_UTF8)
            for number, line in enumerate(lines, start=1):
                if number in checked.malformed:
                    continue
                if number in checked.rewritten:
                    line = checked.rewritten[number].encode("utf-8") + b"\n"
                file.write(line)
                records += 1
                size += len(line)
                longest = max(longest, len(line))
        path.replace(self._path)
        table = JsonTable(self._path, size, longest, has_rewritten=bool(checked.rewritten))
        return replace(segment, table=table, records=records, size_bytes=size, dropped=dropped)
