"""`init` guesses nothing that would lose or change a row of a later file: else it says in one line what decides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Init
from tests.unit.cli.test_init import fields, workbook

ROWS = "".join(f"n{number},{number}\n" for number in range(30))


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(
    ("line", "pattern"),
    [
        ("Total,465", "Total,*"),
        ('"Total",465', '"Total",*'),
        ("Total: 465,", "Total:*"),
        ("EOF", "EOF"),
        ("(30 rows affected)", "([0-9]* rows affected)"),
        ("Made on 2024-01-02", "Made on [0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"),
    ],
)
def test_a_footer_is_left_out_by_a_pattern_that_no_row_has(init: Init, line: str, pattern: str) -> None:
    _, text, _ = init({"a.csv": f"name,v\n{ROWS}{line}\n"})

    assert fields(text)["source"]["options"] == {"footer_lines": {"from": pattern}}
    assert "30 rows" in text
    assert json.dumps(line) in text


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize(
    "line", ["Total Energies,870", "TotalEnergies SE,5", "Total Wine & More,500", "Summe Bau GmbH,300", "Total 24,5"]
)
def test_a_last_row_whose_name_begins_like_a_total_is_a_row(init: Init, line: str) -> None:
    _, text, _ = init({"a.csv": f"name,v\n{ROWS}{line}\n"})

    assert "31 rows" in text
    assert "options" not in fields(text)["source"]


def test_a_footer_of_one_of_several_files_is_left_out(init: Init) -> None:
    _, text, _ = init({"a_1.csv": f"name,v\n{ROWS}\n(30 rows affected)\n", "a_2.csv": f"name,v\n{ROWS}"})

    assert fields(text)["source"]["options"] == {"footer_lines": {"from": "([0-9]* rows affected)"}}
    assert "60 rows" in text


@pytest.mark.parametrize(
    "files",
    [
        {"a_1.csv": f"name,v\n{ROWS}Made by A\n", "a_2.csv": f"name,v\n{ROWS}By B\n", "a_3.csv": f"name,v\n{ROWS}"},
        {"a.csv": f"name,v\n{ROWS}***\n"},
        {"a_1.csv": f"name,v\n{ROWS}(30 rows)\n", "a_2.csv": f"name,v\n{ROWS}***\n"},
    ],
)
def test_a_footer_without_a_pattern_is_no_row(init: Init, files: dict[str, str | bytes]) -> None:
    code, text, error = init(files)

    assert (code, text) == (3, "")
    assert len(error.splitlines()) == 1


def test_a_footer_whose_text_must_not_be_written_is_refused(init: Init) -> None:
    code, text, error = init({"a.csv": f"name,v\n{ROWS}zqx is the end\n"}, "--no-samples")

    assert (code, text) == (3, "")
    assert "--no-samples" in error
    assert "zqx" not in error


@pytest.mark.parametrize(
    "text",
    [
        "name\n" + "".join(f'"Müller, Anna {number}"\n' for number in range(40)),
        "place\n" + "".join(f'"52.1{number}, 13.10"\n' for number in range(9)),
        '"full; address"\n' + "".join(f'"Street {number}; Town; Land"\n' for number in range(9)),
        "note\n" + "".join(f'"{number}, \'b\', ""c, d"""\n' for number in range(9)),
    ],
)
def test_one_column_of_quoted_texts_is_not_split(init: Init, text: str) -> None:
    _, spec, _ = init({"a.csv": text})

    assert "options" not in fields(spec)["source"]
    assert f"{len(text.splitlines()) - 1} rows" in spec


COMMAS = ["amount\n10,50\n11,50\n12,50\n", "text\n" + "".join(f"a line, number {number}\n" for number in range(9))]


@pytest.mark.parametrize("text", COMMAS)
def test_one_column_of_texts_with_commas_is_named_by_its_delimiter(init: Init, text: str) -> None:
    code, spec, error = init({"a.csv": text})

    assert (code, spec) == (3, "")
    assert len(error.splitlines()) == 1
    assert "--skip-lines 1" in error
    assert "--delimiter" in error

    _, spec, _ = init({"a.csv": text}, "--delimiter", "~")

    assert fields(spec)["source"]["options"] == {"delimiter": "~"}
    assert f"{len(text.splitlines()) - 1} rows" in spec


def test_a_header_that_is_half_filled_is_no_title(init: Init) -> None:
    _, half, _ = init({"a.csv": "id,,x,\n1,2,3,4\n"})

    assert "1 row," in half
    assert "options" not in fields(half)["source"]


def test_a_header_that_is_mostly_empty_is_no_row(init: Init) -> None:
    _, spec, _ = init({"a.csv": "id;name;;;;\n" + "".join(f"{number};a;1;2;3;4\n" for number in range(60))})

    assert fields(spec)["source"]["options"] == {"delimiter": ";", "header": True}
    assert "60 rows" in spec


@pytest.mark.parametrize(("lines", "rows"), [("0", "2 rows"), ("1", "1 row,")])
def test_a_line_that_may_be_a_title_or_a_header_is_decided_by_an_option(init: Init, lines: str, rows: str) -> None:
    text = "name,,\nAnna,x,y\nBob,z,w\n"
    code, spec, error = init({"a.csv": text})

    assert (code, spec) == (3, "")
    assert "--skip-lines 0" in error

    _, spec, _ = init({"a.csv": text}, "--skip-lines", lines)

    assert rows in spec


@pytest.mark.parametrize(
    ("rows", "lines", "options"),
    [
        ([["name", None, None], ["Anna", "x", "y"], ["Bob", "z", "w"]], "1", {"skip_lines": 1}),
        ([["Report"], ["name", "city"], ["Anna", "Rom"], ["Bob", "Bonn"]], "1", {"skip_lines": 1}),
    ],
)
def test_a_first_row_of_a_sheet_that_may_be_a_title_is_decided_by_an_option(
    init: Init, tmp_path: Path, rows: Sequence[Sequence[object]], lines: str, options: dict[str, object]
) -> None:
    book = {"a.xlsx": workbook(tmp_path / "a.xlsx", *rows)}
    code, spec, error = init(book)

    assert (code, spec) == (3, "")
    assert "--skip-lines 1" in error

    _, spec, _ = init(book, "--skip-lines", lines)

    assert {**fields(spec)["source"]["options"]} == options


def test_a_header_of_a_sheet_that_is_mostly_empty_is_no_row(init: Init, tmp_path: Path) -> None:
    rows: list[list[object]] = [["id", "name", None, None, None, None], *([n, "a", 1, 2, 3, 4] for n in range(60))]
    code, spec, error = init({"a.xlsx": workbook(tmp_path / "a.xlsx", *rows)})

    # A column of a sheet that has values needs a name.
    assert (code, spec) == (3, "")
    assert len(error.splitlines()) == 1


def test_a_delimiter_of_two_characters_is_not_taken_for_half_of_it(init: Init) -> None:
    _, spec, _ = init({"a.csv": "id||a||b\n1||x||y\n2||z||w\n"})

    assert fields(spec)["source"]["options"] == {"delimiter": "||"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--encoding", "nope"], "--encoding: "),
        (["--encoding", ""], "--encoding takes a text"),
        (["--delimiter", ""], "--delimiter takes a text"),
        (["--skip-lines", "-1"], "--skip-lines: "),
        (["--keys", "id,id"], "--keys names 'id' twice"),
    ],
)
def test_an_option_that_is_not_allowed_is_named_itself(init: Init, options: list[str], words: str) -> None:
    code, spec, error = init({"a.csv": "id,n\n1,2\n2,3\n"}, *options)

    assert (code, spec) == (2, "")
    assert error.startswith(f"error: {words}")
    assert "orders.yml" not in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.csv": "1,2,3\n"}, "may be a row"),
        ({"a.csv": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1"}, "is no text"),
        ({"a.csv": "id,n\n1,a\0b\n"}, "NUL character"),
        ({"a.csv": "Größe,n\nä,1\n".encode("cp1250") + b"\x81"}, "windows-1250"),
        ({"a.csv": ",".join(map(str, range(1700))) + "\n"}, "1,700 columns"),
        ({"a.csv": "id,n\n1,2\n2,3\n", "b.csv": "x,y\n1,2\n2,3\n"}, "no column in common"),
        ({"a.csv": "id,n\n1,2\n"}, None),
    ],
)
def test_a_file_that_is_no_table_is_refused_for_what_it_is(
    init: Init, files: dict[str, str | bytes], words: str | None
) -> None:
    code, spec, error = init(files)

    assert (code == 0) == (words is None)
    assert bool(spec) == (words is None)
    assert words is None or (words in error and len(error.splitlines()) == 1)


def test_lines_of_text_have_no_keys(init: Init) -> None:
    _, spec, _ = init({"a.txt": "NAME     READY\n" + "".join(f"pod-{'x' * number}   1/1\n" for number in range(30))})

    assert fields(spec)["load"] == {"mode": "append"}


def test_a_row_that_may_be_a_total_is_named(init: Init) -> None:
    rows = ROWS.replace("\n", ",x\n")
    _, spec, _ = init({"a.csv": f"name,v,w\n{rows}Total,465,x\n"})

    assert "31 rows" in spec
    assert '# A last line may be a total, e.g. "Total,465,x". It is loaded as a row.' in spec
