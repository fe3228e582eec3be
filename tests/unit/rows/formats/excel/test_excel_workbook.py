"""The workbook as a container, and the package that reads its cells."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import openpyxl
import pytest

from framework.errors import MachineError
from framework.model.files import FileIdentity, SourceFile
from framework.rows.formats.excel.container import BrokenWorkbook, Container
from framework.rows.formats.excel.look import ExcelFiles
from framework.rows.formats.excel.workbook import open_sheet
from framework.rows.formats.recognise import Beginning
from framework.rows.formats.source import Source
from framework.spec.load import load_pipeline_text
from tests.unit.rows.benches import NOON

MOST = 1024**3


@pytest.fixture
def path(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.append(["id", 1])
    hidden = book.create_sheet("Hidden")
    hidden.sheet_state = "veryHidden"
    hidden.append([2])
    book.create_chartsheet("Chart")
    book.create_sheet("Last").append([3])
    book.save(tmp_path / "a.xlsx")
    return tmp_path / "a.xlsx"


def test_hidden_sheets_count_and_charts_do_not(path: Path) -> None:
    assert [each.name for each in Container(path, MOST).sheets()] == ["Sheet", "Hidden", "Last"]
    assert list(open_sheet(path, 3, MOST).rows()) == [[3.0]]
    assert list(open_sheet(path, "hidden", MOST).rows()) == [[2.0]]


@pytest.mark.parametrize("cut", [1, 30, 500, 3000])
def test_a_workbook_that_is_cut_off_is_broken(path: Path, cut: int) -> None:
    path.write_bytes(path.read_bytes()[:-cut])

    with pytest.raises(BrokenWorkbook, match="damaged or cut off"):
        open_sheet(path, 1, MOST)


def test_a_workbook_with_damaged_bytes_is_broken_or_read(path: Path) -> None:
    content = path.read_bytes()
    for place in range(0, len(content), 97):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x55]) + content[place + 1 :])
        try:
            list(open_sheet(path, 1, MOST).rows())
        except ValueError as error:
            assert str(error)  # noqa: PT017 - either is right


def test_a_member_twice_is_not_read(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("XL/Worksheets/Sheet1.xml", "<worksheet/>")

    with pytest.raises(BrokenWorkbook, match="has a member twice"):
        Container(path, MOST)


def test_the_package_is_named_where_it_is_missing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)

    with pytest.raises(MachineError, match=r"pip install 'feedway\[excel\]'"):
        open_sheet(path, 1, MOST)


def test_a_workbook_that_does_not_fit_on_the_disk_is_not_fetched() -> None:
    text = "pipeline: p\nsource: {prefix: data/in/p/}\ntarget: {table: t}\nload: {mode: append}\n"
    spec = load_pipeline_text(text, "p.yml", "p").source
    file = SourceFile("lake", "a.xlsx", "e", 2**60, NOON, FileIdentity("lake", "a.xlsx", "e", 2**60), NOON)
    fetched: list[int] = []

    def fetch(start: int, end: int) -> bytes:
        fetched.append(start)
        return b""

    with pytest.raises(MachineError, match=r"needed for the workbook s3://lake/a\.xlsx\. Make room, or .* TMPDIR"):
        ExcelFiles().look(Source(file, spec, Beginning(b"PK", False), fetch))
    assert fetched == []


def test_the_package_is_imported_only_for_a_workbook() -> None:
    code = "import sys, framework.rows.formats.excel; print('python_calamine' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
