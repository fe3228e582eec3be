"""Each check of a spec: a mistake gives its rule at its line and column."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from framework.errors import Problem, SpecError
from framework.model.notation import NumberNotation
from framework.model.staging import FILE_COLUMN, ROW_COLUMN
from framework.spec.checks.names import STAGING_COLUMNS
from framework.spec.load import load_pipeline_text

ProblemsOf = Callable[[str], list[Problem]]

LONG = """\
pipeline: orders
source:
  prefix: data/in/orders/
  options:
    delimiter: ","
target:
  table: orders
load:
  keys:
    - order_id
"""


def places(problems: list[Problem]) -> list[tuple[str, int, int]]:
    """Return what a test says of problems: rule, line, column."""
    return [(problem.rule, problem.line, problem.column) for problem in problems]


def test_all_mistakes_are_reported_together_in_the_order_of_the_file() -> None:
    text = LONG.replace("prefix:", "prefx:").replace('","', '""').replace("- order_id", "- Order_ID")
    with pytest.raises(SpecError) as caught:
        load_pipeline_text(text + "taget: x\n", "pipelines/orders.yml", "orders")
    assert places(list(caught.value.problems)) == [
        ("spec/required", 2, 1),
        ("spec/unknown-field", 3, 3),
        ("spec/delimiter", 5, 16),
        ("spec/upper-case", 10, 7),
        ("spec/unknown-field", 11, 1),
    ]
    assert str(caught.value).startswith("pipelines/orders.yml has 5 problems:\n  pipelines/orders.yml:2:1: ")


@pytest.mark.parametrize(
    ("written", "instead", "rule", "line", "column", "fix"),
    [
        ("table: orders", "tabel: orders\n  table: orders", "unknown-field", 7, 3, "Did you mean 'table'?"),
        ("load:", "keys: [a]\nload:", "unknown-field", 8, 1, "It belongs under load."),
        ("load:", "zzz: 1\nload:", "unknown-field", 8, 1, "The fields are pipeline, description"),
        ("  table: orders", "  {}", "required", 6, 1, 'Add it, such as table: "customers"'),
        ("target:\n  table: orders\n", "", "required", 1, 1, "Add it, such as target:"),
        ("table: orders", "table: 5", "type", 7, 10, "Put the value in quotes"),
        ("table: orders", "table:", "type", 7, 9, "Leave the field out"),
        ("table: orders", "table: [a]", "type", 7, 10, ""),
        ("target:", "expect: {last_line_end: no}\ntarget:", "type", 6, 25, "Write true or false, without quotes."),
        ('delimiter: ","', "names: NA", "type", 5, 12, "Write a list: [NA]"),
        ("target:", "tags: [a, 0]\ntarget:", "type", 6, 11, "Put the value in quotes"),
        (
            "- order_id",
            "- order_id\n  mode: upsrt",
            "enum",
            11,
            9,
            "Did you mean 'upsert'? Possible: 'upsert',",
        ),
        ("target:", "bad_rows: {max_fraction: 5}\ntarget:", "range", 6, 26, "Allowed are 0 to 1."),
        ("target:", "views: [{name: v, definition: ''}]\ntarget:", "empty", 6, 31, "Give it a value"),
        (
            "pipeline: orders",
            "pipeline: Orders",
            "pattern",
            1,
            11,
            "The value consists of lower-case letters",
        ),
        ("pipeline: orders", f"pipeline: {'o' * 101}", "range", 1, 11, "Allowed are 0 to 100."),
        ("pipeline: orders", "pipeline: order", "pipeline-name", 1, 11, "Write pipeline: orders, or rename"),
    ],
)
def test_what_the_schema_refuses_is_explained(
    problems_of: ProblemsOf, written: str, instead: str, rule: str, line: int, column: int, fix: str
) -> None:
    assert written in LONG
    (problem,) = problems_of(LONG.replace(written, instead))
    assert places([problem]) == [(f"spec/{rule}", line, column)]
    assert problem.fix.startswith(fix)


@pytest.mark.parametrize("text", ["orders", "- orders", "5", "null", "{}"])
def test_a_document_that_is_no_spec_is_refused(problems_of: ProblemsOf, text: str) -> None:
    assert {problem.rule for problem in problems_of(text)} <= {"spec/type", "spec/required", "spec/keys"}
    assert problems_of(text)


@pytest.mark.parametrize(
    ("prefix", "refused"),
    [
        ("/data/in/", True),
        ("s3://lake/data/in/", True),
        ("data//in/", True),
        ("data/../in/", True),
        ("./data/in/", True),
        ("/", True),
        ("data/archive/orders/", True),
        ("data/archive", True),
        ("data/unprocessed/x/", True),
        ("data/quarantine/x/", True),
        ("staging/", True),
        ("logs/orders/", True),
        ("data/", True),
        ("data/archives/", False),
        ("logs_of_shop/", False),
        ("in", False),
    ],
)
def test_a_prefix_is_a_folder_of_its_own(problems_of: ProblemsOf, prefix: str, refused: bool) -> None:
    problems = problems_of(LONG.replace("data/in/orders/", prefix))
    assert places(problems) == ([("spec/prefix", 3, 11)] if refused else [])


@pytest.mark.parametrize(
    ("options", "rule", "column", "fix"),
    [
        ("header: false", "header", 14, "Add, for example, names: [order_id, amount]."),
        ("names: [a, b]", "header", 13, "Add header: false where"),
        ("header: auto, names: [a]", "header", 27, "Add header: false where"),
        ("header: true, names: [a, ' A']", "duplicate-column", 31, "Give each field a name of its own."),
        ("header: flase", "enum", 14, "Possible: 'auto', true, false."),
        ("skip_lines: -1", "range", 18, "Allowed are 0 to 1000."),
        ("header: false, names: [order_id, '']", "empty", 39, "Give it a value"),
    ],
)
def test_a_header_and_names_agree(problems_of: ProblemsOf, options: str, rule: str, column: int, fix: str) -> None:
    (problem,) = problems_of(LONG.replace('options:\n    delimiter: ","', f"options:\n    {{{options}}}"))
    assert places([problem]) == [(f"spec/{rule}", 5, column)]
    assert problem.fix.startswith(fix)


@pytest.mark.parametrize(
    "options",
    [
        "header: true",
        "header: auto",
        "skip_lines: 2",
        "header: false, names: [a, Order ID]",
        "header: true, names: [order_id]",
    ],
)
def test_a_header_may_be_described(problems_of: ProblemsOf, options: str) -> None:
    assert problems_of(LONG.replace('options:\n    delimiter: ","', f"options: {{{options}}}")) == []


@pytest.mark.parametrize(
    ("names", "more", "missing"),
    [
        ("[id, at]", "", ["order_id"]),
        ("[id, at]", "  order_by: [seen]\n", ["order_id", "seen"]),
        ("[id, at]", "  order_by: [at, file_name]\ncolumns: {rename: {id: order_id}}\n", []),
        ("[order_id, id]", "columns: {rename: {order_id: number}}\n", ["order_id"]),
        ("[Order ID, e-mail, e_mail]", "  order_by: [e_mail_2fae6f]\n", []),
    ],
)
def test_names_hold_the_columns_that_every_file_must_have(
    problems_of: ProblemsOf, names: str, more: str, missing: list[str]
) -> None:
    text = LONG.replace('delimiter: ","', f"header: false\n    names: {names}") + more
    problems = [problem for problem in problems_of(text) if problem.rule == "spec/unnamed-column"]
    assert [problem.message.split("'")[1] for problem in problems] == missing


@pytest.mark.parametrize("delimiter", ['""', '"|\\""', '"\\""', '"\\n"', '"\\r"', "'\\t'"])
def test_a_delimiter_is_what_csv_leaves_free(problems_of: ProblemsOf, delimiter: str) -> None:
    assert places(problems_of(LONG.replace('","', delimiter))) == [("spec/delimiter", 5, 16)]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ("quoting: none, quote: '|'", "quote: with quoting none"),
        ("quoting: none, quote: '\"'", "quote: with quoting none"),
        ("quoting: none, escape: '\\'", "escape: with quoting none"),
        ("header: false, names: [order_id], skip_lines: {until: x}", "skip_lines: until finds a header"),
        ("encoding: [windows-1252, utf-8]", "files in UTF-8 are valid in windows-1252 too"),
        ("encoding: [gb18030, utf-8]", "files in UTF-8 are valid in gb18030 too"),
        ("encoding: [us-ascii, utf-16-le, utf-8]", "files in UTF-8 are valid in utf-16-le too"),
        ("encoding: [utf-8, latin-1, cp437]", "nearly every file is valid in latin-1"),
        ("quote: '\"\"'", "is not one character of its own"),
        ("quote: x", "is not one character of its own"),
        ("escape: ','", "',' is the delimiter too"),
        ("escape: '\"'", "'\"' is the quote too"),
        ("delimiter: ' | ', quote: '|'", "'|' is the delimiter too"),
        ("comment: ',x'", "begins like a record"),
        ('comment: "#\\n"', "is not within one line"),
        ('skip_lines: {until: "a\\nb"}', "is not within one line"),
        ('footer_lines: {from: "a\\nb"}', "is not within one line"),
        ("footer_lines: {from: '*'}", "every line matches"),
        ("delimiter: Auto", "'Auto' is taken as a delimiter of four letters"),
        ("comment: '\"'", "begins like a record"),
        ("delimiter: auto, comment: ;", "begins like a record"),
        ("delimiter: auto, quote: '|'", "'|' is the delimiter too"),
    ],
)
def test_an_option_that_another_contradicts_is_an_error(problems_of: ProblemsOf, options: str, problem: str) -> None:
    text = LONG.replace('  options:\n    delimiter: ","', f"  options: {{{options}}}")
    (found,) = problems_of(text)
    assert problem in found.message


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("compression: none\n  max_unpacked: 1GB", "source.max_unpacked: nothing is unpacked"),
        ("compression: gzip\n  members: '*.csv'", "source.members: with compression gzip"),
        ("max_unpacked: 0GB", "a packed file could hold nothing"),
    ],
)
def test_a_packing_is_described_where_there_is_one(problems_of: ProblemsOf, fields: str, problem: str) -> None:
    (found,) = problems_of(LONG.replace("  options:", f"  {fields}\n  options:"))
    assert problem in found.message


def test_a_column_of_percentages_has_no_use_for_the_currencies_of_others(problems_of: ProblemsOf) -> None:
    parse = "types: {parse: {currency: ['€']}, columns: {rate: {percent: true}}}\n"
    assert problems_of(LONG + parse) == []
    (found,) = problems_of(LONG + "types: {columns: {rate: {percent: true, currency: ['€']}}}\n")
    assert "a percentage has no currency" in found.message
    notations = load_pipeline_text(LONG + parse, "pipelines/orders.yml", "orders").types.notations
    assert notations["rate"].numbers == NumberNotation(percent=True)


def test_a_decimal_that_fits_is_for_numbers(problems_of: ProblemsOf) -> None:
    (found,) = problems_of(f'{LONG}types: {{rules: [{{inferred: date, type: "decimal(fit)"}}]}}\n')
    assert "decimal(fit) is for numbers, and the rule is for inferred: date" in found.message


@pytest.mark.parametrize(
    ("parse", "problem"),
    [
        ("{currency: ['.']}", "'.' is not a currency sign"),
        ("{decimal: ',', thousands: '.', currency: [',']}", "',' is not a currency sign"),
        ("{thousands: ' ', currency: ['+']}", "'+' is not a currency sign"),
        ("{null_values: [N], booleans: [[J, N]]}", "'N' is NULL by null_values"),
        ("{booleans: [['2024-01-01', 'no']]}", "may be a number or a day"),
        ("{booleans: [['01', '00']]}", "may be a number or a day"),
    ],
)
def test_a_text_has_one_meaning(problems_of: ProblemsOf, parse: str, problem: str) -> None:
    assert problem in problems_of(f"{LONG}types: {{parse: {parse}}}\n")[0].message


@pytest.mark.parametrize(
    "options",
    [
        "encoding: [utf-8, shift_jis, windows-1252]",
        "quoting: lenient\n    escape: '\\'",
        "delimiter: '||'\n    comment: '//'",
        "delimiter: auto\n    skip_lines: {until: id}\n    footer_lines: {from: 'Total*'}",
        "quoting: none\n    short_rows: pad\n    long_rows: ignore\n    trim: all",
    ],
)
def test_options_that_go_together_are_none(problems_of: ProblemsOf, options: str) -> None:
    assert problems_of(LONG.replace('delimiter: ","', options)) == []


@pytest.mark.parametrize(
    "encoding", ["idna", "punycode", "base64", "nonsense", '""', '"a\\0b"', "rot13", "[utf-8, zlib]"]
)
def test_an_encoding_is_one_of_text(problems_of: ProblemsOf, encoding: str) -> None:
    problems = problems_of(LONG.replace('delimiter: ","', f"encoding: {encoding}"))
    assert places(problems) == [("spec/encoding", 5, 23 if encoding.startswith("[") else 15)]


@pytest.mark.parametrize(
    ("addition", "rule", "line", "column"),
    [
        ("load: {keys: [a, b, a]}", "duplicate-column", 4, 21),
        ("load: {keys: []}", "keys", 4, 14),
        ("load: {mode: upsert}", "keys", 4, 1),
        ("load: {mode: append, order_by: [a]}", "keys", 4, 32),
        ("load: {mode: append, duplicates: reject}", "keys", 4, 34),
        ("load: {keys: [a]}\nbad_rows: {max_rows: 5}", "bad-rows", 5, 22),
        ("load: {keys: [a]}\nbad_rows: {max_fraction: 0.5, action: reject_file}", "bad-rows", 5, 26),
        ("load: {keys: [a]}\nbad_rows: {action: quarantine}", "bad-rows", 5, 20),
        ("load: {keys: [a], order_by: [a down]}", "order-by", 4, 30),
        ("load: {keys: [a], order_by: [desc]}", "order-by", 4, 30),
        ("load: {keys: [a], order_by: [b desc, b]}", "duplicate-column", 4, 38),
        ("load: {keys: [A]}", "upper-case", 4, 15),
        ('load: {keys: [" a"]}', "name", 4, 15),
        ('load: {keys: [""]}', "name", 4, 15),
        (f"load: {{keys: [{'é' * 64}]}}", "name", 4, 15),
        ("load: {keys: [oid]}", "reserved-name", 4, 15),
        ("load: {keys: [First Name]}", "cleaned-name", 4, 15),
        ("load: {keys: [Имя]}", "cleaned-name", 4, 15),
        ("load: {keys: [größe]}", "cleaned-name", 4, 15),
        ("load: {keys: [feedway_row]}", "reserved-name", 4, 15),
        ("load: {keys: [a]}\ncolumns: {exclude: [a]}", "excluded-column", 4, 15),
        ("load: {keys: [a], order_by: [b desc]}\ncolumns: {exclude: [b]}", "excluded-column", 4, 30),
        ("load: {keys: [a]}\ncolumns: {rename: {a: b}}", "renamed-column", 4, 15),
        ("load: {keys: [b]}\ncolumns: {rename: {a: b}, exclude: [a]}", "renamed-column", 5, 37),
        ("load: {keys: [a]}\ncolumns: {exclude: [b, b]}", "duplicate-column", 5, 24),
        ("load: {keys: [a]}\ncolumns: {exclude: [Total Sum]}", "cleaned-name", 5, 21),
        ("load: {keys: [a]}\ncolumns: {rename: {Cust No: b}}", "cleaned-name", 5, 20),
        ("load: {keys: [a]}\ncolumns: {rename: {Имя: b}}", "cleaned-name", 5, 20),
        ("load: {keys: [a]}\ncolumns: {exclude: [oid]}", "cleaned-name", 5, 21),
        ("load: {keys: [a]}\ntypes: {columns: {order no: bigint}}", "cleaned-name", 5, 19),
        ("load: {keys: [a]}\ntypes: {rules: [{name: 'größe*', type: text}]}", "upper-case", 5, 24),
        ("load: {keys: [a]}\ncolumns: {rename: {b: C}}", "upper-case", 5, 23),
        ("load: {keys: [a]}\ncolumns: {rename: {b: run_date}}", "metadata-column", 5, 23),
        ("load: {keys: [a]}\nmetadata_columns: {run_date: file_name}", "duplicate-column", 5, 1),
        ("load: {keys: [a]}\nmetadata_columns: {run_date: x, file_name: x}", "duplicate-column", 5, 44),
        ("load: {keys: [a]}\nmetadata_columns: {run_date: ctid}", "reserved-name", 5, 30),
        ("load: {keys: [a]}\ntypes: {columns: {b: varchr}}", "column-type", 5, 22),
        ("load: {keys: [a]}\ntypes: {columns: {b: {type: decimal(99)}}}", "column-type", 5, 29),
        ("load: {keys: [a]}\ntypes: {columns: {B: bigint}}", "upper-case", 5, 19),
        ("load: {keys: [a]}\ntypes: {columns: {run_date: date}}", "metadata-column", 5, 19),
        ("load: {keys: [a]}\ntypes: {columns: {b: date}}\ncolumns: {exclude: [b]}", "excluded-column", 5, 19),
        ("load: {keys: [a]}\ntypes: {columns: {b: {type: date, formats: [dd.mm.yyyy]}}}", "format", 5, 45),
        ("load: {keys: [a]}\ntypes: {columns: {b: {type: bigint, formats: [dd.MM.yyyy]}}}", "parse", 5, 37),
        ("load: {keys: [a]}\ntypes: {columns: {b: {type: super, formats: [dd.MM.yyyy]}}}", "parse", 5, 36),
        ("load: {keys: [a]}\ntypes: {columns: {b: {type: time, formats: [dd.MM.yyyy]}}}", "format", 5, 45),
        ("load: {keys: [a]}\ntypes: {columns: {b: {type: time, formats: [epoch_s]}}}", "format", 5, 45),
        ("load: {keys: [a]}\ntypes: {columns: {b: {type: date, formats: [HH:mm]}}}", "format", 5, 45),
        ("load: {keys: [a]}\ntypes: {parse: {formats: [HHmm]}}", "format", 5, 27),
        ("load: {keys: [a]}\ntypes: {columns: {b: {formats: [yyMMdd, HHmmss]}}}", "format", 5, 41),
        ("load: {keys: [a, b]}\ntypes: {columns: {b: super}}", "super-key", 4, 18),
        ("load: {keys: [a], order_by: [b desc]}\ntypes: {columns: {b: {type: SUPER}}}", "super-key", 4, 30),
        (
            "load: {keys: [a]}\ntypes: {columns: {b: {type: timestamptz, formats: [dd.MM.yyyy]}}}",
            "format",
            5,
            52,
        ),
        ("load: {keys: [a]}\ntypes: {columns: {b: {type: date, formats: [dd.MM.yyyy HH]}}}", "format", 5, 45),
        ("load: {keys: [a]}\ntypes: {parse: {formats: [dMMyyyy, dMyyyy]}}", "format", 5, 36),
        ("load: {keys: [a]}\ntypes: {parse: {formats: [dd/MM/yyyy, MM/dd/yyyy]}}", "format", 5, 39),
        ("load: {keys: [a]}\ntypes: {parse: {formats: [d.M.yyyy, yyyyMMdd, ddMMyyyy]}}", "format", 5, 47),
        ("load: {keys: [a]}\ntypes: {parse: {thousands: '.'}}", "parse", 5, 28),
        ("load: {keys: [a]}\ntypes: {parse: {decimal: ','}, columns: {b: {thousands: ','}}}", "parse", 5, 57),
        ("load: {keys: [a]}\ntypes: {parse: {decimal: '-'}}", "parse", 5, 26),
        ("load: {keys: [a]}\ntypes: {parse: {thousands: '0'}}", "parse", 5, 28),
        ("load: {keys: [a]}\ntypes: {parse: {currency: ['€', '5 $']}}", "parse", 5, 33),
        ("load: {keys: [a]}\ntypes: {parse: {currency: ['€'], percent: true}}", "parse", 5, 34),
        ("load: {keys: [a]}\ntypes: {parse: {booleans: [[J, N], [X, J]]}}", "parse", 5, 40),
        ("load: {keys: [a]}\ntypes: {parse: {booleans: [['1', x]]}}", "parse", 5, 29),
        ("load: {keys: [a]}\ntypes: {parse: {booleans: [[J]]}}", "range", 5, 28),
        ("load: {keys: [a]}\ntypes: {columns: {b: {type: varchar(9), percent: true}}}", "parse", 5, 41),
        ("load: {keys: [a]}\ntypes: {columns: {b: {}}}", "empty", 5, 22),
        ("load: {keys: [a]}\ntypes: {rules: [{type: text}, {type: strng}]}", "column-type", 5, 38),
        ("load: {keys: [a]}\ntypes: {rules: [{only: key, unless: key, type: text}]}", "rule", 5, 29),
        ("load: {keys: [a]}\ntypes: {rules: [{name: '*_ID', type: text}]}", "upper-case", 5, 24),
        ("load: {keys: [a]}\nviews: [{name: v, definition: 'select {{ x }}'}]", "view-definition", 5, 31),
        ("load: {keys: [a]}\nviews: [{name: v, definition: 'select {{ target'}]", "view-definition", 5, 31),
        ("load: {keys: [a]}\nviews: [{name: v, definition: 'select 1;'}]", "view-definition", 5, 31),
        ("load: {keys: [a]}\nviews: [{name: v, definition: '{# nothing #}'}]", "view-definition", 5, 31),
        ("load: {keys: [a]}\nviews: [{name: V, definition: select 1}]", "upper-case", 5, 16),
        ("load: {keys: [a]}\nviews: [{name: '#v', definition: select 1}]", "name", 5, 16),
        ("load: {keys: [a]}\nviews: [{name: t, definition: select 1}]", "duplicate-view", 5, 16),
        (
            "load: {keys: [a]}\nviews:\n- {name: v, definition: select 1}\n- {name: v, definition: select 2}",
            "duplicate-view",
            7,
            10,
        ),
    ],
)
def test_what_a_schema_cannot_say_is_checked(
    problems_of: ProblemsOf, addition: str, rule: str, line: int, column: int
) -> None:
    text = f"pipeline: orders\nsource: {{prefix: in}}\ntarget: {{table: t}}\n{addition}\n"
    assert places(problems_of(text)) == [(f"spec/{rule}", line, column)]


def test_names_in_every_script_can_be_written_in_a_spec(problems_of: ProblemsOf) -> None:
    text = (
        "pipeline: orders\nsource: {prefix: in}\ntarget: {table: t, distkey: имя, sortkey: [клиент]}\n"
        "load: {keys: [имя], order_by: [日付 desc]}\n"
        "columns: {rename: {분류: категория, имя_2: Имя, Ꭰ: größe}, exclude: [कि]}\n"
        "types: {columns: {Имя: text, größe: bigint, か: date}, rules: [{name: 'Ꭰ_*', type: text}]}\n"
        "evolution: {columns: {が: {new_columns: ignore}}}\n"
    )
    assert problems_of(text) == []


@pytest.mark.parametrize(
    ("name", "fix"),
    [("First Name", "first_name"), ("Имя", "имя"), ("ИМЯ!", "имя"), ("größe", "grosse"), ("か\u3099", "が")],
)
def test_the_problem_with_a_name_shows_the_cleaned_one(problems_of: ProblemsOf, name: str, fix: str) -> None:
    text = f"pipeline: orders\nsource: {{prefix: in}}\ntarget: {{table: t}}\nload: {{keys: ['{name}']}}\n"
    (problem,) = problems_of(text)
    assert f"no column is called {name!r} once its name is cleaned" in str(problem)
    assert f"Write {fix!r}." in str(problem)


@pytest.mark.parametrize(
    ("target", "rule", "column"),
    [
        ("{table: Orders}", "upper-case", 17),
        ("{table: '#orders'}", "name", 17),
        ("{schema: '', table: t}", "name", 18),
        ("{table: t, distkey: B}", "upper-case", 29),
        ("{table: t, distkey: x}", "excluded-column", 29),
        ("{table: t, sortkey: [a, x]}", "excluded-column", 33),
        ("{table: t, sortkey: [a, a]}", "duplicate-column", 33),
    ],
)
def test_names_of_the_target_are_checked(problems_of: ProblemsOf, target: str, rule: str, column: int) -> None:
    others = "pipeline: orders\nsource: {prefix: in}\nload: {keys: [a]}\ncolumns: {exclude: [x]}\n"
    text = f"{others}target: {target}\n"
    assert places(problems_of(text)) == [(f"spec/{rule}", 5, column)]


def test_a_value_that_the_schema_refuses_is_not_reported_twice(problems_of: ProblemsOf) -> None:
    problems = problems_of(LONG.replace("\n    - order_id", " order_id"))
    assert places(problems) == [("spec/type", 9, 9)]


def test_the_staging_columns_are_those_that_staging_adds() -> None:
    assert {FILE_COLUMN, ROW_COLUMN} == STAGING_COLUMNS


@pytest.mark.parametrize(
    ("text", "every"), [("30m", timedelta(minutes=30)), ("6h", timedelta(hours=6)), ("1d", timedelta(days=1))]
)
def test_an_expected_time_between_loads_is_a_number_with_its_unit(minimal: str, text: str, every: timedelta) -> None:
    spec = load_pipeline_text(f"{minimal}expect: {{every: {text}}}\n", "orders.yml", "orders")

    assert spec.expect.every == every


@pytest.mark.parametrize("text", ["1 day", "1w", "0d", "1.5h", "-1d", "24:00", "''"])
def test_any_other_expected_time_is_refused_with_examples(problems_of: ProblemsOf, minimal: str, text: str) -> None:
    (problem,) = problems_of(f"{minimal}expect: {{every: {text}}}\n")

    assert problem.line == minimal.count("\n") + 1
    assert "30m, 6h or 1d" in problem.fix


def test_a_feed_that_expects_nothing_says_nothing(minimal: str) -> None:
    assert load_pipeline_text(minimal, "orders.yml", "orders").expect.every is None


def test_a_pattern_holds_for_the_whole_text_and_not_up_to_a_last_line_break() -> None:
    text = LONG.replace("pipeline: orders", 'pipeline: "orders\\n"')
    with pytest.raises(SpecError) as caught:
        load_pipeline_text(text, "pipelines/orders.yml", "orders\n")
    assert places(list(caught.value.problems)) == [("spec/pattern", 1, 11)]


FIXED = LONG.replace('options:\n    delimiter: ","', "format: fixed\n  options: {OPTIONS}")


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ("{fields: {order_id: [1, 8], name: [9, 40]}, skip_lines: 1, footer_lines: {from: 'T*'}}", []),
        ("{fields: {name: [9, 40], order_id: [1, 1]}}", []),
        ("{}", [("spec/fields", "source.options.fields is missing")]),
        ("{fields: {}}", [("spec/fields", "source.options.fields has no field")]),
        ("{fields: {order_id: [8, 1]}}", [("spec/fields", "order_id ends at character 1, before it begins at 8")]),
        ("{fields: {order_id: [1, 8], n: [8, 9]}}", [("spec/fields", "n begins at character 8, in order_id")]),
        ("{fields: {order_id: [1, 8], Order ID: [9, 9]}}", [("spec/duplicate-column", "are one column, 'order_id'")]),
        ("{fields: {id: [1, 8]}}", [("spec/unnamed-column", "'order_id' is none of source.options.fields")]),
        ("{fields: {order_id: [1, 8]}, skip_lines: {until: x}}", [("spec/options", "until finds a header")]),
        ("{fields: {order_id: [1, 8]}, header: true, names: [order_id]}", [("spec/options", "have the names")] * 2),
    ],
)  # fmt: skip
def test_fields_of_fixed_width_have_places_of_their_own(
    problems_of: ProblemsOf, options: str, found: list[tuple[str, str]]
) -> None:
    problems = problems_of(FIXED.replace("{OPTIONS}", options))
    assert [problem.rule for problem in problems] == [rule for rule, _ in found]
    assert all(text in problem.message for problem, (_, text) in zip(problems, found, strict=True)), problems


def test_fields_go_with_fixed_width_alone_and_mean_it(problems_of: ProblemsOf) -> None:
    text = FIXED.replace("{OPTIONS}", "{fields: {order_id: [1, 8]}}")
    (problem,) = problems_of(text.replace("format: fixed", "format: csv"))
    assert "fields is for files with a fixed width, and source.format is csv" in problem.message
    auto = text.replace("format: fixed", "format: auto")
    assert load_pipeline_text(auto, "pipelines/orders.yml", "orders").source.format == "fixed"


def test_fixed_width_has_no_more_fields_than_a_table_has_columns(problems_of: ProblemsOf) -> None:
    fields = ", ".join(f"f{number}: [{number}, {number}]" for number in range(2, 1602))
    (problem,) = problems_of(FIXED.replace("{OPTIONS}", f"{{fields: {{order_id: [1, 1], {fields}}}}}"))
    assert "has 1,601 fields, and a table at most 1,600 columns" in problem.message
