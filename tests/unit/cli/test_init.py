"""`init` writes a spec that says what it has seen, or nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from jsonschema import Draft202012Validator

from framework.cli import main
from framework.draft.proposal import FITTING
from framework.resources import read_text
from framework.spec.load import load_pipeline_text
from tests.unit.cli.conftest import Init


def fields(text: str) -> Any:
    load_pipeline_text(text, "pipelines/orders.yml", "orders")
    return yaml.safe_load(text)


def workbook(path: Path, *rows: Sequence[object]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path.read_bytes()


GERMAN = "Umsatz für Müller\r\n\r\nNr;Kunde;Betrag;Datum;Bezahlt\r\n"
GERMAN += "1;Groß & Söhne;1.234,56;01.02.2024;Ja\r\n2;Köln, GmbH;-0,99;29.02.2024;Nein\r\n"


def test_a_german_export_is_seen_as_it_is_meant(init: Init) -> None:
    code, text, _ = init({"umsatz_2024-01.csv": GERMAN.encode("windows-1252")})

    assert code == 0
    assert fields(text) == {
        "pipeline": "orders",
        "source": {
            "prefix": "data/in/orders/",
            "pattern": "umsatz_*.csv",
            "options": {"encoding": ["utf-8", "windows-1252"], "delimiter": ";", "skip_lines": 2},
        },
        "target": {"table": "orders"},
        "load": {"keys": ["nr"], "duplicates": "reject"},
        "types": {
            "parse": {"decimal": ",", "thousands": ".", "formats": ["dd.MM.yyyy"]},
            "rules": [FITTING],
            "columns": {"bezahlt": {"booleans": [["Ja", "Nein"]]}},
        },
    }
    assert text.startswith("# yaml-language-server: $schema=../schemas/pipeline.schema.json\n")


def test_fractions_have_as_many_digits_after_the_point_as_the_numbers_need(init: Init) -> None:
    _, text, _ = init({"orders_1.csv": "id,amount\n1,2.50\n2,3.75\n"})

    assert fields(text)["types"] == {"rules": [FITTING]}


def test_a_plain_file_needs_no_options(init: Init) -> None:
    code, text, _ = init({"orders_1.csv": "id,amount\n1,250\n2,375\n"})

    assert code == 0
    assert fields(text) == {
        "pipeline": "orders",
        "source": {"prefix": "data/in/orders/", "pattern": "orders_*.csv"},
        "target": {"table": "orders"},
        "load": {"keys": ["id"], "duplicates": "reject"},
    }


def test_a_project_is_begun_with_what_the_spec_needs(init: Init, tmp_path: Path) -> None:
    init({"a.csv": "id,x\n1,a\n2,b\n"})

    project = tmp_path / "project"
    schemas = [f"schemas/{name}.schema.json" for name in ("environments", "feed_tests", "pipeline")]
    files = {str(path.relative_to(project)) for path in project.rglob("*") if path.is_file()}
    assert files == {"environments.yml", "pipelines/orders.yml", *schemas}
    assert [(project / schema).read_text() for schema in schemas] == [read_text(schema) for schema in schemas]
    for file in (project / "environments.yml", project / "pipelines" / "orders.yml"):
        named = file.read_text().partition("$schema=")[2].partition("\n")[0]
        assert (file.parent / named).is_file(), file


def test_nothing_is_overwritten(init: Init) -> None:
    _, before, _ = init({"a.csv": "id,x\n1,a\n2,b\n"})

    code, after, error = init({"a.csv": "id,y\n1,a\n"})

    assert code == 2
    assert after == before
    assert "overwrites nothing" in error


def test_days_that_could_be_months_stay_text_and_both_formats_are_offered(init: Init) -> None:
    _, text, _ = init({"a.csv": "id,seen\n1,01/02/2024\n2,03/04/2024\n"})

    assert "types" not in fields(text)
    assert "#   types: {columns: {seen: {formats: [dd/MM/yyyy]}}}" in text
    assert "#   types: {columns: {seen: {formats: [MM/dd/yyyy]}}}" in text


GROUPS = "".join(f"{number};{number % 900 + 1}.{number % 900 + 100};{number % 9}\n" for number in range(3000))


def test_points_before_three_digits_group_thousands_where_other_columns_have_commas(init: Init) -> None:
    _, text, _ = init({"a.csv": "id;n;m\n" + GROUPS + "3000;999;1,5\n"})

    assert fields(text)["types"]["parse"] == {"decimal": ",", "thousands": "."}
    assert "columns" not in fields(text)["types"]


def test_without_them_such_numbers_stay_text(init: Init) -> None:
    _, text, _ = init({"a.csv": "id;n;m\n" + GROUPS + "3000;999;1\n"})

    assert fields(text)["types"] == {"columns": {"n": "varchar(256)"}}
    assert '#   types: {columns: {"n": {decimal: ",", thousands: "."}}}  # points between thousands' in text


def test_where_other_columns_have_points_they_are_fractions(init: Init) -> None:
    _, text, _ = init({"a.csv": "id,n,m\n1,1.234,0.5\n2,2.500,1.25\n"})

    assert fields(text)["types"] == {"rules": [FITTING]}


def test_columns_that_contradict_each_other_decide_for_no_other(init: Init) -> None:
    _, text, _ = init({"a.csv": "id;n;m;point;comma\n1;1,234;1.234;0.5;0,5\n2;2,500;2.500;1.25;1,25\n"})

    assert '#   types: {columns: {"n": {thousands: ","}}}' in text
    assert fields(text)["types"]["columns"]["m"] == "varchar(256)"


def test_one_day_beyond_the_twelfth_decides_for_all_rows_of_all_files(init: Init) -> None:
    rows = "".join(f"{number},0{number % 9 + 1}/02/2024\n" for number in range(5000))

    _, text, _ = init({"a.csv": f"id,seen\n{rows}", "b.csv": "id,seen\n5000,31/01/2024\n"})

    assert fields(text)["types"] == {"parse": {"formats": ["dd/MM/yyyy"]}}


def test_a_rare_way_of_writing_is_seen_among_many_values(init: Init) -> None:
    rows = "".join(f"{number};{number},{number % 100:02d}\n" for number in range(5000))

    _, text, _ = init({"a.csv": f"id;n\n{rows}5000;7,77-\n5001;k.A.\n5002;1.000,00\n"})

    assert fields(text)["types"] == {
        "parse": {"decimal": ",", "thousands": ".", "negatives": ["leading", "trailing"]},
        "rules": [FITTING],
        "columns": {"n": {"null_values": ["k.A."]}},
    }


def test_what_varies_between_files_is_said(init: Init) -> None:
    _, text, _ = init({"a_1.csv": "id,x,n\n1,a,5\n2,b,6\n", "a_2.csv": "n,id,y\n5.5,3,c\n6,4,d\n"})

    comments = " ".join(line.removeprefix("# ") for line in text.splitlines() if line.startswith("#"))
    assert "x is a column of 1 file of 2" in comments
    assert "y is a column of 1 file of 2" in comments
    assert "another order" in comments
    assert 'n is decimal(18,2) because of several files: integer in "a_1.csv"; decimal(18,2) in "a_2.csv"' in comments
    assert fields(text)["evolution"] == {"missing_columns": {"new_rows": "null"}}


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("id", "1 row repeats the id of an earlier row"),
        ("shop", "1 row has no shop"),
        ("nope", "there is no column 'nope'; there is id, shop, n"),
        (",", "takes the names of columns"),
    ],
)
def test_keys_that_do_not_identify_a_row_are_refused(init: Init, keys: str, words: str) -> None:
    code, text, error = init({"a.csv": "id,shop,n\n1,a,1\n1,b,2\n2,,3\n"}, "--keys", keys)

    assert code == 2
    assert not text
    assert words in error


def test_keys_that_identify_a_row_are_written(init: Init) -> None:
    _, text, _ = init({"a.csv": "Shop No,Day,n\n1,2024-01-01,1\n1,2024-01-02,1\n"}, "--keys", "Shop No,day")

    assert fields(text)["load"] == {"keys": ["shop_no", "day"]}


def test_several_candidates_are_named_and_rows_are_appended(init: Init) -> None:
    _, text, _ = init({"a.csv": "customer_id,product_id\n1,1\n2,2\n"})

    assert fields(text)["load"] == {"mode": "append"}
    assert "several columns may be the key: customer_id, product_id" in text


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "", "is empty"),
        ("a.csv", "id,name\n", "there is no row"),
        ("a.csv", "id,a,b\n" + "1,x,y\n" * 40 + "2,x\nrest,y\n", "2 of 42 rows cannot be read as the others"),
        ("a.txt", "001 ann  10\n002 bob  20\n003 cid  30\n", "source.options.fields by hand"),
        ("a.csv", "id,name\n1,Москва\n2,Казань\n".encode("koi8-r"), "--encoding"),
        ("a.csv", "id;a,b;c\n1;2,3;4\n2;3,4;5\n", "--delimiter"),
        ("a.pdf", "%PDF-1.7\n", "is a PDF"),
        ("_a.csv", "id\n1\n", "its name begins with '_'"),
        ("a.json", '[{"id": 1}, {"id": ', "a.json"),
    ],
)
def test_a_file_that_cannot_become_a_feed_is_refused_in_one_line(
    init: Init, tmp_path: Path, name: str, content: str | bytes, words: str
) -> None:
    code, text, error = init({name: content})

    assert code != 0
    assert not text
    assert words in error
    assert len(error.splitlines()) == 1
    assert not list((tmp_path / "project").iterdir())


def test_the_encoding_and_the_delimiter_can_be_named(init: Init) -> None:
    content = "id;a,b;c\n1;Москва;4\n2;Казань;5\n".encode("koi8-r")

    _, text, _ = init({"a.csv": content}, "--encoding", "koi8-r", "--delimiter", ";")

    assert fields(text)["source"]["options"] == {"encoding": "koi8-r", "delimiter": ";"}


def test_workbooks_lines_of_json_and_parquet_become_feeds(init: Init, tmp_path: Path) -> None:
    rows = (["Titel"], ["Id", "Tag", "Aktiv"], [1, date(2024, 2, 1), "Ja"], [2, date(2024, 2, 2), "Nein"])
    content = workbook(tmp_path / "book.xlsx", *rows)

    _, text, _ = init({"a.xlsx": content})

    assert fields(text)["source"]["options"] == {"skip_lines": 1}
    assert fields(text)["types"] == {"columns": {"aktiv": {"booleans": [["Ja", "Nein"]]}}}


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.parquet"])
def test_files_with_types_of_their_own_need_only_keys(init: Init, tmp_path: Path, name: str) -> None:
    rows = [{"id": number, "name": "NA", "day": "01.02.2024"} for number in range(3)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "rows.parquet")
    content = {
        "a.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode(),
        "a.json": json.dumps(rows).encode(),
        "a.parquet": (tmp_path / "rows.parquet").read_bytes(),
    }[name]

    _, text, _ = init({name: content})

    assert fields(text).keys() == {"pipeline", "source", "target", "load"}
    assert fields(text)["load"]["keys"] == ["id"]


@pytest.mark.parametrize(
    ("document", "records"),
    [
        ({"meta": {"n": 2}, "data": {"items": [{"id": 1}, {"id": 2}]}}, "data.items"),
        ({"a": [{"id": 1}], "b": [{"id": 2}]}, None),
        ({"id": 1, "tags": ["x"]}, None),
        ({"a.b": [{"id": 1}]}, None),
    ],
)
def test_the_only_array_of_objects_in_a_document_has_the_records(
    init: Init, document: object, records: str | None
) -> None:
    _, text, _ = init({"a.json": json.dumps(document)})

    assert fields(text)["source"].get("options") == ({"records": records} if records else None)


def test_a_tab_can_be_named_as_shells_pass_it(init: Init) -> None:
    _, text, _ = init({"a.csv": "a,b\tc\n1,2\t3\n4,5\t6\n"}, "--delimiter", r"\t")

    assert fields(text)["source"]["options"] == {"delimiter": "\t"}


@pytest.mark.parametrize("options", [("--encoding", "nothing"), ("--delimiter", "")])
def test_options_that_no_file_can_have_are_refused(init: Init, options: Sequence[str]) -> None:
    code, text, error = init({"a.csv": "id,n\n1,2\n"}, *options)

    assert (code, text) == (2, "")
    assert "Traceback" not in error


MARK = "zqx"
HIDDEN = {
    "encoding.csv": f"id,name\n1,{MARK}ü\n2,{MARK}ö\n".encode("windows-1252"),
    "numbers.csv": f"id;text;n\n1;{MARK};7.777,77\n2;{MARK};7,5\n",
    "dates.csv": "id,day\n1,07/07/2077\n2,08/07/2077\n",
    "groups.csv": "id;n\n1;7.777\n2;7.778\n",
    "title.csv": f"{MARK} report\nid,n\n1,2\n2,3\n",
    "nulls.csv": "id,n\n1,NA\n2,7777\n",
    "keys.csv": f"a_id,b_id\n{MARK}1,{MARK}2\n{MARK}3,{MARK}4\n",
    "comments.csv": f"# {MARK}\nid,n\n1,2\n# {MARK}\n2,3\n",
    "short.csv": "id,a,b\n" + "".join(f"{number},{MARK},{MARK}\n" for number in range(30)) + f"31,{MARK}\n",
}


@pytest.mark.exhaustive(every=3)
@pytest.mark.parametrize("name", HIDDEN)
def test_without_samples_no_cell_is_in_the_spec(init: Init, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, text, error = init({name: HIDDEN[name]}, "--no-samples")

    assert code == 0, error
    assert fields(text)
    for cell in (MARK, "77"):
        assert cell not in text


def test_cells_that_are_no_yaml_stay_in_their_comments(init: Init) -> None:
    cell = "1.234,5 €"
    header = 'id;"a\n{{ b }}: - # \u2028 \'""";' + "x" * 10_000

    code, text, _ = init({"a.csv": f'{header}\n1;{cell};"\u2028\n{{{{"\n2;2,5 €;"- a: b #\x85"\n'})

    assert code == 0
    assert fields(text)["types"]["parse"]["decimal"] == ","


def test_older_views_become_views_of_the_spec(init: Init, tmp_path: Path) -> None:
    config = tmp_path / "view_config.json"
    config.write_text(json.dumps({"reporting.v_orders": "select id,\n  x\nfrom {source_table};"}))

    _, text, _ = init({"a.csv": "id,x\n1,a\n2,b\n"}, "--views", str(config))

    assert fields(text)["views"] == [
        {"schema": "reporting", "name": "v_orders", "definition": "select id,\n  x\nfrom {source_table}"}
    ]


def test_what_was_decided_is_printed_as_a_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "it's a.csv"
    file.write_text("id,x\n1,a\n2,b\n")

    main(["--project", str(tmp_path), "--output", "json", "init", "orders", "--from", str(file)])

    document = json.loads(capsys.readouterr().out)
    Draft202012Validator(json.loads(read_text("schemas/output/init.schema.json"))).validate(document)
    assert (document["rows"], document["keys"]) == (2, ["id"])
    assert [column["type"] for column in document["columns"]] == ["bigint", "varchar(256)"]
    assert document["next"][1] == f"feedway --project {tmp_path} plan orders --from '{tmp_path}/it'\"'\"'s a.csv'"


def test_a_spec_that_the_project_leaves_no_place_for_is_not_written(init: Init, tmp_path: Path) -> None:
    init({"a.csv": "id,x\n1,a\n2,b\n"})
    project = tmp_path / "project"
    (project / "pipelines/other.yml").write_text(
        "pipeline: other\nsource: {prefix: data/in/more-orders/, pattern: 'a*.csv'}\ntarget: {table: other}\n"
        "load: {mode: append}\n"
    )

    code = main(["--project", str(project), "init", "more-orders", "--from", str(tmp_path / "a.csv")])

    assert code == 2
    assert not (project / "pipelines/more-orders.yml").exists()
