"""Bad rows that commands list, show and export, and what becomes of the exported file."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest
from jsonschema import Draft202012Validator

from framework.resources import read_text
from tests.harness import FeedHarness, csv_text, tagged_spec

BUDGET = """\
types: {columns: {id: integer, n: integer}}
bad_rows: {action: quarantine, max_fraction: 1}
"""


def configure(feed: FeedHarness, *changes: tuple[str, str]) -> None:
    """Write the feed's spec, with a budget for bad rows and with parts of its text replaced."""
    text = tagged_spec(feed.name) + BUDGET
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    feed.write(f"pipelines/{feed.name}.yml", text)


def document(feed: FeedHarness, action: str, *argv: str) -> dict[str, Any]:
    """Return the JSON of an action that succeeds, which is valid by its schema."""
    code, found = feed.json("quarantine", action, *argv)
    assert code == 0
    Draft202012Validator(json.loads(read_text(f"schemas/output/quarantine_{action}.schema.json"))).validate(found)
    return dict(found)


def exported(path: Path) -> list[dict[str, str]]:
    """Return the lines of an exported file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def save(path: Path, lines: Sequence[Mapping[str, str]], delimiter: str = ",") -> str:
    """Write lines as a spreadsheet does; return the path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(lines)
    return str(path)


def test_bad_rows_are_listed_shown_exported_and_loaded_corrected(feed: FeedHarness) -> None:
    configure(feed)
    key = feed.land("1.csv", csv_text("id,n,s", "1,1,a", "2,x,=1+1", "", "3,4", '4,y,"a\nb"', '5,z,""', ",6,"))

    code, ran, _ = feed.command("run", feed.name)

    listed = document(feed, "list")["quarantine"]
    (mine,) = [each for each in listed if each["pipeline"] == feed.name]
    short = mine["run_id"][:8]
    lines = ran.splitlines()
    at = lines.index(f"bad rows of {key}: 5, in {mine['address']}")
    assert code == 0
    assert lines[at + 1 : at + 6] == [
        "  row 2, line 3, n: is not a value of integer: 'x'",
        "  row 3, line 5: the record has 2 fields, the header names 3: '3,4'",
        "  row 4, line 6, n: is not a value of integer: 'y'",
        "  row 5, line 8, n: is not a value of integer: 'z'",
        "  row 6, line 9, id: stands in an upsert key, which needs a value",
    ]
    assert feed.pasted(lines[at + 6].removeprefix("  see them with: ")) == [
        "quarantine",
        "show",
        feed.name,
        "--run",
        short,
    ]
    assert {name: mine[name] for name in ("source_file", "rows", "corrected_rows", "faults")} == {
        "source_file": key,
        "rows": 5,
        "corrected_rows": 0,
        "faults": [
            {"column": "n", "reason": "is not a value of integer", "rows": 3},
            {"column": None, "reason": "the record has 2 fields, the header names 3", "rows": 1},
            {"column": "id", "reason": "stands in an upsert key, which needs a value", "rows": 1},
        ],
    }

    _, text, _ = feed.command("quarantine", "show", feed.name, "--rows", "2")
    assert text.splitlines()[1:6] == [
        "row 2, n: is not a value of integer",
        "  id='2'  n='x'  s='=1+1'",
        "row 3: the record has 2 fields, the header names 3",
        "  id='3'  n='4'",
        "and 3 more: see them with --rows 5",
    ]
    shown = document(feed, "show", "--file", "1.csv", "--run", short, feed.name)
    assert [row["row"] for row in shown["rows"]] == [2, 3, 4, 5, 6]
    assert shown["rows"][3]["record"][2] == {"name": "s", "value": ""}

    path = feed.root / "bad.csv"
    code, out, _ = feed.command("quarantine", "export", feed.name, "--to", str(path))
    assert code == 0
    assert feed.pasted(out.splitlines()[-1].strip()) == ["replay", feed.name, "--quarantine", str(path)]
    cells = exported(path)
    assert [(line["row"], line["record.s"]) for line in cells] == [
        ("2", '"=1+1"'),
        ("3", "(missing)"),
        ("4", '"a\\nb"'),
        ("5", '""'),
        ("6", ""),
    ]
    assert feed.command("quarantine", "export", feed.name, "--to", str(path))[0] == 2
    assert exported(path) == cells

    assert feed.command("replay", feed.name, "--quarantine", str(path))[0] == 3
    code, _, _ = feed.command("replay", feed.name, "--quarantine", save(feed.root / "some.csv", [cells[0], cells[2]]))
    assert code == 3
    assert feed.rows("id", "id") == [(1,)]

    fixed = [cells[0] | {"record.n": "20"}, cells[1] | {"record.s": '"thr\\u0065e"'}, cells[3] | {"record.n": '"50"'}]
    code, _, _ = feed.command("replay", feed.name, "--quarantine", save(feed.root / "fixed.csv", fixed, ";"))
    assert code == 0
    assert feed.rows("id, n, s", "id") == [(1, 1, "a"), (2, 20, "=1+1"), (3, 4, "three"), (5, 50, "")]

    (mine,) = document(feed, "list", feed.name)["quarantine"]
    assert (mine["rows"], mine["corrected_rows"]) == (5, 3)
    shown = document(feed, "show", feed.name)
    assert [row["row"] for row in shown["rows"] if not row["is_corrected"]] == [4, 6]
    left = document(feed, "export", feed.name, "--to", str(feed.root / "left.csv"))
    assert (left["rows"], left["corrected_rows"]) == (2, 3)
    assert [line["row"] for line in exported(feed.root / "left.csv")] == ["4", "6"]

    for kept in feed.keys("data/quarantine/"):
        feed.s3.delete_object(Bucket="lake", Key=kept)
    assert document(feed, "list", feed.name)["quarantine"] == []
    code, _, error = feed.command("quarantine", "show", feed.name)
    assert (code, "were deleted" in error) == (2, True)


def test_the_newest_load_with_rows_left_is_exported(feed: FeedHarness) -> None:
    configure(feed, ("load: {keys: [id]}", "load: {mode: append}"))
    for number in (1, 2):
        feed.land(f"{number}.csv", csv_text("id,n", f"{number},{number}", f"{number}0,x"))
        feed.command("run", feed.name)
    newest = document(feed, "export", feed.name, "--to", str(feed.root / "2.csv"))
    (line,) = exported(feed.root / "2.csv")
    assert line["file"] == '"2.csv"'
    fixed = save(feed.root / "fixed.csv", [line | {"record.n": "20"}])
    assert feed.command("replay", feed.name, "--quarantine", fixed)[0] == 0

    left = document(feed, "export", feed.name, "--to", str(feed.root / "1.csv"))
    shown = document(feed, "show", feed.name)
    code, _, err = feed.command("quarantine", "export", feed.name, "--run", newest["run_id"])

    assert [line["file"] for line in exported(feed.root / "1.csv")] == ['"1.csv"']
    assert shown["run_id"] == left["run_id"] != newest["run_id"]
    assert code == 2
    assert "the only bad row of 2.csv was loaded corrected: there is nothing to export" in err


def test_rows_of_a_renamed_feed_are_exported_under_its_old_name_and_loaded_under_the_new_one(feed: FeedHarness) -> None:
    configure(feed)
    feed.land("1.csv", csv_text("id,n", "1,1", "2,x"))
    feed.command("run", feed.name)
    spec, renamed = feed.root / f"pipelines/{feed.name}.yml", f"{feed.name}_2"
    text = spec.read_text(encoding="utf-8").replace(f"pipeline: {feed.name}", f"pipeline: {renamed}")
    feed.write(f"pipelines/{renamed}.yml", text)
    spec.unlink()
    path = feed.root / "bad.csv"

    found = document(feed, "export", feed.name, "--to", str(path))
    path.unlink()
    _, out, _ = feed.command("quarantine", "export", feed.name, "--to", str(path))
    path.write_text(path.read_text("utf-8").replace("x", "2"), "utf-8")

    assert found["command"] is None
    assert f"{feed.name} has no spec any more" in out
    assert feed.pasted(out.rpartition(": ")[2]) == ["replay", "NAME", "--quarantine", str(path)]
    assert feed.command("replay", renamed, "--quarantine", str(path))[0] == 0
    assert feed.rows("id, n", "id") == [(1, 1), (2, 2)]


def test_a_correction_that_a_newer_row_kept_out_is_listed_as_superseded(feed: FeedHarness) -> None:
    configure(feed)
    # Rows 2 and 4 have one key, and so have row 3 and a file that comes later.
    feed.land("1.csv", csv_text("id,n", "1,1", "2,x", "3,y", "2,z", "5,w"))
    feed.land("2.csv", csv_text("id,n", "3,33"))
    assert feed.command("run", feed.name)[0] == 0
    path = feed.root / "bad.csv"
    feed.command("quarantine", "export", feed.name, "--to", str(path))
    cells = exported(path)
    fixed = [line | {"record.n": str(number)} for number, line in enumerate(cells[:3])]

    assert feed.command("replay", feed.name, "--quarantine", save(feed.root / "fixed.csv", fixed))[0] == 0
    (mine,) = document(feed, "list", feed.name)["quarantine"]
    _, text, _ = feed.command("quarantine", "list", feed.name)

    assert feed.rows("id, n", "id") == [(1, 1), (2, 2), (3, 33)]
    assert (mine["rows"], mine["corrected_rows"], mine["superseded_rows"]) == (4, 1, 2)
    assert "corrected  superseded" in text
    assert feed.json("status", feed.name)[1]["feeds"][0]["quarantined"] == 1


def test_without_samples_only_who_asks_gets_values(feed: FeedHarness) -> None:
    configure(feed, ("max_fraction: 1", "max_fraction: 1, log_samples: false"))
    feed.land("1.csv", csv_text("id,n,s", "1,1,a", "2,secret,secret", "3,secret"))

    code, ran = feed.json("run", feed.name)
    _, text, _ = feed.command("quarantine", "show", feed.name)
    hidden = document(feed, "show", feed.name)

    (load,) = ran["loads"]
    assert code == 0
    assert [(bad["row"], bad["line"], bad["column"], bad["value"]) for bad in load["bad_rows"]] == [
        (2, 3, "n", None),
        (3, 4, None, None),
    ]
    assert "secret" not in f"{ran}{text}{hidden}"
    assert "--values shows them" in text
    assert "n='secret'" in feed.command("quarantine", "show", feed.name, "--values")[1]
    feed.command("quarantine", "export", feed.name, "--to", str(feed.root / "bad.csv"))
    assert "secret" in (feed.root / "bad.csv").read_text()
    (feed.root / f"pipelines/{feed.name}.yml").unlink()
    code, text, _ = feed.command("quarantine", "show", feed.name)
    assert (code, "row 2, n: is not" in text, "secret" in text) == (0, True, False)


def test_a_refused_file_has_its_first_bad_rows_in_the_result_and_none_in_quarantine(feed: FeedHarness) -> None:
    configure(feed, ("max_fraction: 1", "max_rows: 1"))
    feed.land(f"{feed.name}.csv", csv_text("id,n", "1,1", *(f"{number},x" for number in range(2, 9))))

    code, ran = feed.json("run", feed.name)

    (load,) = ran["loads"]
    assert (code, load["quarantine"]) == (3, None)
    assert [(bad["row"], bad["line"], bad["value"]) for bad in load["bad_rows"]] == [
        (number, number + 1, "x") for number in range(2, 7)
    ]
    assert feed.command("quarantine", "list", feed.name)[:2] == (0, "no bad rows are in quarantine\n")
    for action in ("show", "export"):
        code, _, error = feed.command("quarantine", action, feed.name)
        assert (code, f"replay {feed.name}" in error) == (2, True)


def test_what_is_not_there_is_refused_with_what_is(feed: FeedHarness) -> None:
    configure(feed, ("source: {", "source: {batch: all, "))
    feed.land("one.csv", csv_text("id,n", "1,1", "2,x"))
    feed.land("two.csv", csv_text("n,id,more", "y,4,m"))
    feed.command("run", feed.name)

    for words, message in (
        (["show", f"{feed.name}x"], f"Did you mean '{feed.name}'?"),
        (["show", feed.name, "--file", "too.csv"], "Did you mean 'two.csv'?"),
        (["export", feed.name, "--run", "ffffffff"], "no load ffffffff"),
        (["export", feed.name, "--run", "x"], "a run_id has 32 characters"),
        (["export", feed.name, "--rows", "1"], "unrecognized arguments: --rows 1"),
        (["show"], "required: NAME"),
        (["shown", feed.name], "invalid choice"),
        (["export", feed.name, "--to", "s3://lake/x.csv"], "file of this machine"),
        (["export", feed.name, "--to", f"{feed.root}/none/x.csv"], "cannot be written"),
    ):
        code, out, error = feed.command("quarantine", *words)
        assert (code, out) == (2, ""), words
        assert message in error, words

    files = document(feed, "list", feed.name)["quarantine"]
    assert [(each["source_file"].rpartition("/")[2], each["rows"]) for each in files] == [
        ("one.csv", 1),
        ("two.csv", 1),
    ]
    shown = document(feed, "show", feed.name, "--file", f"data/in/{feed.name}/two.csv")
    assert [row["file"] for row in shown["rows"]] == ["two.csv"]

    path = feed.root / "bad.csv"
    feed.command("quarantine", "export", feed.name, "--to", str(path))
    first, second = exported(path)
    assert (first["record.more"], second["record.more"]) == ("", '"m"')
    code, _, error = feed.command("replay", feed.name, "--quarantine", save(path, [first | {"record.more": "m"}]))
    assert (code, "its file does not have this field" in error) == (3, True)
    path.write_text(path.read_text("utf-8").splitlines()[0], "utf-8")
    code, _, error = feed.command("replay", feed.name, "--quarantine", str(path))
    assert (code, "has no row" in error) == (3, True)
    fixed = [first | {"record.n": "2"}, second | {"record.n": "4"}]
    assert feed.command("replay", feed.name, "--quarantine", save(path, fixed))[0] == 0
    assert feed.rows("id, n, more", "id") == [(1, 1, None), (2, 2, ""), (4, 4, "m")]


def zipped() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x/a.csv", csv_text("id,n", "1,1", "2,x"))
    return packed.getvalue()


def workbook() -> bytes:
    book, packed = openpyxl.Workbook(), io.BytesIO()
    for row in (("id", "n"), (1, 1), (2, "x")):
        book.active.append(row)
    book.save(packed)
    return packed.getvalue()


def parquet() -> bytes:
    packed = io.BytesIO()
    texts = pyarrow.array([b"1", b"\xffx"], pyarrow.binary())
    pyarrow.parquet.write_table(pyarrow.table({"id": [1, 2], "n": texts}), packed)
    return packed.getvalue()


FIXED = "format: fixed, options: {fields: {id: [1, 2], n: [4, 5]}}, "
LINES = "format: json, "


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(
    ("name", "content", "source", "column_type"),
    [
        ("a.zip", zipped(), "pattern: '*.zip', ", "integer"),
        ("a.xlsx", workbook(), "pattern: '*.xlsx', ", "integer"),
        ("a.json", b'{"id": 1, "n": 1}\n{"id": 2, "n": "x"}\n', LINES, "integer"),
        ("b.json", b'{"n": 1, "id": 1}\n{"id": 2, "n": 2, "n": 3}\n', LINES, "integer"),
        ("a.txt", b"1  1 \n2  x \n", FIXED, "integer"),
        ("b.txt", b"1  1 \n2  2 surplus\n", FIXED, "integer"),
        ("a.parquet", parquet(), "format: parquet, ", "varchar(9)"),
    ],
)
def test_bad_rows_of_every_format_are_refused_as_they_are_and_load_corrected(
    feed: FeedHarness, name: str, content: bytes, source: str, column_type: str
) -> None:
    pattern = "" if "pattern" in source else "pattern: '*', "
    configure(feed, ("source: {", f"source: {{{source}{pattern}"), ("n: integer", f"n: {column_type}"))
    feed.land(name, content)
    ran = feed.command("run", feed.name)
    assert ran[0] == 0, ran
    (row,) = document(feed, "show", feed.name)["rows"]
    path = feed.root / "bad.csv"
    feed.command("quarantine", "export", feed.name, "--to", str(path))

    unchanged = feed.command("replay", feed.name, "--quarantine", str(path))

    (line,) = exported(path)
    assert (row["row"], line["row"], unchanged[0]) == (2, "2", 3), unchanged
    assert feed.rows("id", "id") == [(1,)]
    surplus = {column: "" for column in line if column.startswith("surplus.")}
    assert bool(surplus) == (name == "b.txt")
    fixed = save(path, [line | surplus | {"record.id": "2", "record.n": "7"}])
    replayed = feed.command("replay", feed.name, "--quarantine", fixed)
    assert replayed[0] == 0, replayed
    assert [tuple(map(str, row)) for row in feed.rows("id, n", "id")] == [("1", "1"), ("2", "7")]
