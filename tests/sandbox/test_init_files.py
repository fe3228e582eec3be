"""`init` on every file at hand: the spec validates and loads what a second reader sees, or one line says why not."""

from __future__ import annotations

import bz2
import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from framework.model.clean_name import clean_name
from tests.harness import SHIPPED_ENVIRONMENTS, FeedHarness, MakeFeed
from tests.sandbox.test_shared_cases import SHARED_CASES

DIALECTS = Path(__file__).parents[1] / "data" / "dialects"
SHARED_FEEDS = SHARED_CASES.parent / "data" / "feeds"

REFUSED_DIALECTS = {
    "encoding_cp037": "--encoding",
    "encoding_gb18030": "--encoding",
    "encoding_iso2022_jp": "--encoding",
    "encoding_koi8_r": "--encoding",
    "encoding_shift_jis": "--encoding",
    "encoding_utf_7": "--encoding",
    "encodings_in_order": "--encoding",
    "short_and_long": "no delimiter of",
}
ASKED = {
    # A line above rows without names may be the header of one column.
    "no_header": ("--skip-lines", "1"),
}
LOADED_OTHERWISE: dict[str, dict[str, list[str | None]]] = {
    # Numbers are numbers unless somebody says what they mean.
    "values_booleans": {"open": ["1", "0", None]},
    "values_times": {"made": ["0", "1709164800"]},
}
REFUSED_CASES = {
    "10-1700-columns": "Redshift takes 1600",
    "12-nul-in-a-field": "NUL",
    "20-zstd/round1/a.csv.zst": "cut off",
    "22-zip": "zip",
}
REFUSED_FEEDS = {"lawsuits": "16 fields"}
REFUSED_FILES = {"lawsuits/lawsuits_04": "16 fields"}


@dataclass(frozen=True)
class Dialect:
    """How Python's csv module reads a file, and how its texts are meant."""

    encoding: str = "utf-8-sig"
    delimiter: str = ","
    skip: int = 0
    names: Sequence[str] = ()
    decimal: str = "."
    days: Sequence[str] = field(default=("%Y-%m-%d", "%m/%d/%y"))
    nulls: Sequence[str] = ()

    def read(self, content: bytes) -> list[list[str]]:
        """Return the rows of a file."""
        lines = io.StringIO(content.decode(self.encoding), newline="")
        rows = [row for row in csv.reader(lines, delimiter=self.delimiter) if row][self.skip :]
        return rows if self.names else rows[1:]

    def dicts(self, content: bytes) -> list[dict[str, str]]:
        """Return the rows of a file by the names of its columns."""
        rows = csv.DictReader(io.StringIO(content.decode(self.encoding), newline=""), delimiter=self.delimiter)
        return [{clean_name(name, 1): value for name, value in row.items()} for row in rows]


PLAIN = Dialect()
CASES = {
    "03-no-header-line": Dialect(names=("column_1", "column_2", "column_3")),
    "03b-sep-line": Dialect(delimiter=";", skip=1),
    "03c-semicolon-file": Dialect(delimiter=";", decimal=","),
    "03d-tab-file": Dialect(delimiter="\t"),
    "03e-title-line": Dialect(skip=1),
    "03f-semicolon-file-into-a-table/round2": Dialect(delimiter=";"),
    "03f-semicolon-file-into-a-table/round3": Dialect(names=("column_1", "column_2", "column_3")),
    "05-replace-with-a-cut-off-file/round1": Dialect(delimiter=";"),
    "06-utf8-bom-under-iso-8859-1/round1": Dialect(encoding="iso-8859-1"),
}


REAL = Dialect(nulls=("NA",))


@pytest.fixture
def project(make_feed: MakeFeed, sandbox: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> FeedHarness:
    """A project without a spec, on the sandbox of the test run."""
    feed = make_feed(root=tmp_path, capsys=capsys)
    (tmp_path / ".sandbox").symlink_to(sandbox.folder)
    embedded = SHIPPED_ENVIRONMENTS.replace("    kind: sandbox\n", "    kind: sandbox\n    engine: embedded\n")
    feed.write("environments.yml", embedded)
    return feed


def load(project: FeedHarness, files: Sequence[Path], *options: str) -> Any:
    """Draft a spec from files, check it, and load them with it; return what init printed."""
    code, drafted, err = project.command("--output", "json", "init", project.name, "--from", *map(str, files), *options)
    assert code == 0, err
    code, out, _ = project.command("validate", project.name)
    assert code == 0, out
    for file in files:
        project.land(file.name, file.read_bytes())
    code, out, err = project.command("run", project.name)
    assert code == 0, out + err
    return json.loads(drafted)


def refused(project: FeedHarness, files: Sequence[Path], words: str) -> None:
    """Check that init says why in one line, and leaves nothing behind."""
    code, out, err = project.command("init", project.name, "--from", *map(str, files))

    assert code != 0
    assert not out
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert not (project.root / "pipelines").exists()


def is_same(stored: Any, text: str | None, dialect: Dialect = PLAIN) -> bool:
    """Return whether a stored value is what a text means."""
    if text is None or stored is None:
        return stored is None and text in (None, "", *dialect.nulls)
    if str(stored) == text:
        return True
    if isinstance(stored, bool):
        return str(stored).lower() == text.lower() or {"yes": "True", "no": "False"}.get(text.lower()) == str(stored)
    number = text.replace(".", "").replace(",", ".") if dialect.decimal == "," else text
    try:
        return Decimal(str(stored)) == Decimal(number)
    except InvalidOperation:
        pass
    return moment(str(stored)) in {moment(text), *days(text, dialect.days)} - {None}


def moment(text: str) -> datetime | None:
    text = re.sub(r"([+-]\d\d)$", r"\1:00", text)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is None else found.astimezone().replace(tzinfo=None)


def days(text: str, formats: Iterable[str]) -> Iterator[datetime]:
    for each in formats:
        try:
            yield datetime.strptime(text, each)  # noqa: DTZ007
        except ValueError:
            continue


def stored_rows(project: FeedHarness, names: Sequence[str]) -> list[tuple[Any, ...]]:
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    return project.sql(f"select {columns} from public.{project.name}")


def assert_equal(
    stored: Sequence[Sequence[Any]], expected: Sequence[Sequence[str | None]], dialect: Dialect = PLAIN
) -> None:
    """Compare rows in any order."""
    assert len(stored) == len(expected)
    left = list(stored)
    for row in expected:
        found = next(
            (each for each in left if all(is_same(*pair, dialect) for pair in zip(each, row, strict=True))), None
        )
        assert found is not None, f"{row} is not among {left[:5]}"
        left.remove(found)


def files_of(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix not in (".yml", ".md")]


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("dialect", sorted(path.name for path in DIALECTS.iterdir() if path.is_dir()))
def test_a_dialect_is_found(project: FeedHarness, dialect: str) -> None:
    files = files_of(DIALECTS / dialect)
    if dialect in REFUSED_DIALECTS:
        refused(project, files, REFUSED_DIALECTS[dialect])
        return
    expected = yaml.safe_load((DIALECTS / dialect / "expected.yml").read_text(encoding="utf-8"))
    names = [column for column in expected["columns"] if column != "file_name"]
    columns = {column: [row[place] for row in expected["rows"]] for place, column in enumerate(expected["columns"])}
    columns |= LOADED_OTHERWISE.get(dialect, {})

    load(project, files, *ASKED.get(dialect, ()))

    own = names if dialect != "no_header" else ["column_1", "column_2"]
    rows = [list(row) for row in zip(*(columns[column] for column in names), strict=True)]
    assert_equal(stored_rows(project, own), rows)


def case_files() -> list[str]:
    if not SHARED_CASES.is_dir():
        return []
    files = (path for folder in sorted(SHARED_CASES.iterdir()) if folder.is_dir() for path in files_of(folder))
    return [str(path.relative_to(SHARED_CASES)) for path in files]


def of(known: dict[str, Any], name: str) -> Any:
    return next((value for start, value in known.items() if name.startswith(start)), None)


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("case_file", case_files())
def test_a_file_that_once_went_wrong_loads(project: FeedHarness, case_file: str) -> None:
    file = SHARED_CASES / case_file
    words = of(REFUSED_CASES, case_file)
    if words is not None:
        refused(project, [file], words)
        return
    dialect: Dialect = of(CASES, case_file) or PLAIN

    drafted = load(project, [file])

    content = bz2.decompress(file.read_bytes()) if file.suffix == ".bz2" else file.read_bytes()
    if file.suffix == ".jsonl":
        expected = [[str(value) for value in json.loads(line).values()] for line in content.splitlines()]
    else:
        expected = dialect.read(content)
    names = [column["name"] for column in drafted["columns"]]
    assert_equal(stored_rows(project, names), expected, dialect)


def feeds() -> list[str]:
    return sorted(path.name for path in SHARED_FEEDS.iterdir()) if SHARED_FEEDS.is_dir() else []


@pytest.mark.exhaustive(every=2)
@pytest.mark.parametrize("name", feeds())
def test_a_feed_that_really_arrived_loads(project: FeedHarness, request: pytest.FixtureRequest, name: str) -> None:
    most = None if request.config.getoption("--exhaustive") else 4
    files = files_of(SHARED_FEEDS / name)[:most]
    if name in REFUSED_FEEDS:
        refused(project, files, REFUSED_FEEDS[name])
        return

    drafted = load(project, files)

    rows: dict[Any, dict[str, str]] = {}
    for file in files:
        for row in REAL.dicts(file.read_bytes()):
            key = tuple(row[key] for key in drafted["keys"]) or len(rows)
            rows[key] = {**rows.get(key, {}), **row}
    check_by_name(project, drafted, list(rows.values()))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Take the first file of real feeds that are refused; with --exhaustive each file of all."""
    if "file_of_feed" in metafunc.fixturenames:
        names = [f"{name}/{path.name}" for name in feeds() for path in files_of(SHARED_FEEDS / name)]
        is_whole = metafunc.config.getoption("--exhaustive")
        first = [name for name in names if name.split("/")[0] in REFUSED_FEEDS and "_01_" in name]
        metafunc.parametrize("file_of_feed", names if is_whole else first)


@pytest.mark.exhaustive(every=1)
def test_each_file_of_a_feed_loads_by_itself(project: FeedHarness, file_of_feed: str) -> None:
    file = SHARED_FEEDS / file_of_feed
    words = of(REFUSED_FILES, file_of_feed)
    if words is not None:
        refused(project, [file], words)
        return

    drafted = load(project, [file])

    check_by_name(project, drafted, REAL.dicts(file.read_bytes()))


def check_by_name(project: FeedHarness, drafted: Any, rows: Sequence[dict[str, str]]) -> None:
    names = [column["name"] for column in drafted["columns"]]
    fills = {column["name"]: "" for column in drafted["columns"]}
    expected = [[row.get(name, fills[name]) for name in names] for row in rows]
    assert_equal(stored_rows(project, names), expected, REAL)


GERMAN = (
    "Umsatzliste Müller GmbH;;;;\r\n"
    "\r\n"
    "Nr;Kunde;Betrag;Datum;Bezahlt\r\n"
    '1;"Groß & Söhne; Köln";1.234,50;01.02.2024;Ja\r\n'
    "2;Jäger;-0,99;29.02.2024;Nein\r\n"
    "3;;12.345.678,00;31.12.2023;\r\n"
)


def test_a_german_export_becomes_typed_columns(project: FeedHarness, tmp_path: Path) -> None:
    file = tmp_path / "umsatz_2024-02.csv"
    file.write_bytes(GERMAN.encode("windows-1252"))

    drafted = load(project, [file])

    assert drafted["keys"] == ["nr"]
    types = project.types()
    assert {name: types[name].partition("(")[0] for name in ("nr", "betrag", "datum", "bezahlt")} == {
        "nr": "bigint",
        "betrag": "numeric",
        "datum": "date",
        "bezahlt": "boolean",
    }
    # With two digits after the point, as the numbers have them.
    assert project.rows("nr, kunde, betrag, datum, bezahlt", "nr") == [
        (1, "Groß & Söhne; Köln", "1234.50", "2024-02-01", True),
        (2, "Jäger", "-0.99", "2024-02-29", False),
        (3, None, "12345678.00", "2023-12-31", None),
    ]


def test_the_shipped_german_export_becomes_typed_columns(project: FeedHarness) -> None:
    load(project, files_of(DIALECTS / "german_export"))

    types = {name: text.partition("(")[0] for name, text in project.types().items()}
    assert {**types, "kunde": None} == {
        "datum": "date",
        "kunde": None,
        "betrag": "numeric",
        "bezahlt": "boolean",
        "run_date": "timestamp without time zone",
        "file_name": "character varying",
    }


def test_a_workbook_loads_as_drafted(project: FeedHarness, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Titel"], ["Id", "Tag", "Aktiv", "Text"], [1, date(2024, 2, 1), "Ja", "a"], [2, None, "Nein", None]):
        book.active.append(row)
    book.save(tmp_path / "liste_1.xlsx")

    load(project, [tmp_path / "liste_1.xlsx"])

    assert project.rows('id, "tag", aktiv, "text"', "id") == [(1, "2024-02-01", True, "a"), (2, None, False, None)]


def test_parquet_loads_as_drafted(project: FeedHarness, tmp_path: Path) -> None:
    rows = [{"id": number, "name": "NA", "n": number / 4} for number in range(1, 4)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows_1.parquet")

    load(project, [tmp_path / "rows_1.parquet"])

    assert project.rows("id, name, cast(n as float)", "id") == [(row["id"], row["name"], row["n"]) for row in rows]


def test_files_in_the_lake_are_read_where_they_are(project: FeedHarness) -> None:
    key = f"in/{project.name}/sub/sales_1.csv"
    project.s3.put_object(Bucket="lake", Key=key, Body=b"id;n\n1;2,5\n2;3,5\n")

    code, _, err = project.command("init", project.name, "--from", f"s3://lake/{key}")

    assert code == 0, err
    text = (project.root / "pipelines" / f"{project.name}.yml").read_text(encoding="utf-8")
    assert f"prefix: in/{project.name}/sub/\n" in text
    code, out, err = project.command("run", project.name)
    assert code == 0, out + err
    assert project.rows("id, cast(n as float)", "id") == [(1, 2.5), (2, 3.5)]
