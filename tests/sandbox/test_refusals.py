"""What is said of bad rows that refuse their file: each fault once, and changes of the spec that do load the file."""

from __future__ import annotations

import copy
import itertools
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from tests.harness import FeedHarness, MakeFeed, csv_text

_NUMBERS = itertools.count(1)
_WAY_OUT = re.compile(r"  (?P<fields>[a-z_]+\..*?: .*?)(?: without (?P<removed>\S+))? \((?P<effect>[^()]*)\)")
_OF_MOST_CASES = re.compile(r"bad_rows\.action: quarantine|type_conflicts: to_text")
REJECT_WIDER = {"evolution": {"wider_values": "reject"}}
QUARANTINE = ["bad_rows.action: quarantine and bad_rows.max_rows: 1"]


@dataclass(frozen=True)
class Case:
    """A file that is refused: what was there before (a file, or DDL), what is said, and the ways out."""

    before: str
    content: str
    shown: list[str]
    ways_out: list[str]
    more: dict[str, Any] = field(default_factory=dict)


CASES = {
    "decimal_comma": Case(
        "id,amount\n1,5.5\n",
        "id,amount\n" + "".join(f'{n},"3.898,75"\n' for n in range(500)),
        ["500 of 500 values of amount are not decimals, e.g. '3.898,75' (decimal comma?), first in row 1, line 2"],
        [
            'types.columns.amount: {decimal: ",", thousands: "."}',
            "evolution.columns.amount.type_conflicts: to_text",
        ],
    ),
    "leading_zeros": Case(
        "id,zip\n1,501\n",
        "id,zip\n2,7\n3,\n4,00123\n",
        ["1 of 2 values of zip is not an integer: '00123' (leading zeros), in row 3, line 4"],
        ["evolution.columns.zip.type_conflicts: to_text", *QUARANTINE],
    ),
    "text_in_a_declared_column_of_a_table": Case(
        "id,zip\n1,501\n",
        "id,zip\n2,00123\n",
        ["1 of 1 value of zip is not an integer: '00123' (leading zeros), in row 1, line 2"],
        ["evolution.columns.zip.type_conflicts: to_text without types.columns.zip"],
        {"types": {"columns": {"zip": "integer"}}},
    ),
    "text_in_a_declared_column_of_a_new_table": Case(
        "",
        "id,zip\n2,00123\n",
        ["1 of 1 value of zip is not an integer: '00123' (leading zeros), in row 1, line 2"],
        ["types.columns.zip: varchar(256)"],
        {"types": {"columns": {"zip": "integer"}}},
    ),
    "text_in_a_column_with_a_rule": Case(
        "",
        "id,made_at\n2,soon\n3,2024-05-01\n",
        ["1 of 2 values of made_at is not a date: 'soon', in row 1, line 2"],
        ["types.columns.made_at: varchar(256)", *QUARANTINE],
        {"types": {"rules": [{"name": "*_at", "type": "date"}]}},
    ),
    "a_declared_integer_out_of_range": Case(
        "id,n\n1,5\n",
        "id,n\n2,3000000000\n3,4000000000\n",
        ["2 of 2 values of n do not fit into integer, e.g. '3000000000' (out of range), first in row 1, line 2"],
        ["types.columns.n: bigint"],
        {"types": {"columns": {"n": "integer"}}},
    ),
    "wider_values_are_rejected": Case(
        "id,n,s\n1,5,x\n",
        f"id,n,s\n2,1.5,{'x' * 300}\n",
        [
            "1 of 1 value of n does not fit into integer: '1.5' (a fraction), in row 1, line 2",
            f"1 of 1 value of s does not fit into varchar(256): '{'x' * 77}...' (300 bytes), in row 1, line 2",
        ],
        ["evolution.columns.n.wider_values: widen", "evolution.columns.s.wider_values: widen"],
        REJECT_WIDER,
    ),
    "an_exponent_in_a_declared_decimal": Case(
        "id,n\n1,5\n",
        "id,n\n2,12e4\n3,6\n",
        ["1 of 2 values of n does not fit into decimal(5,2): '12e4' (too many digits), in row 1, line 2"],
        ["types.columns.n: decimal(8,2)", *QUARANTINE],
        {"types": {"columns": {"n": "decimal(5,2)"}}},
    ),
    "numbers_out_of_range_and_other_texts": Case(
        "id,n\n1,5\n",
        "id,n\n2,1.5\n3,x\n4,y\n5,6\n",
        [
            "2 of 4 values of n are not integers, e.g. 'x', first in row 2, line 3",
            "1 of 4 values of n does not fit into integer: '1.5' (a fraction), in row 1, line 2",
        ],
        [
            "evolution.columns.n.type_conflicts: to_text",
            "bad_rows.action: quarantine and bad_rows.max_rows: 3",
        ],
        REJECT_WIDER,
    ),
    "dates_in_another_format": Case(
        "id,d\n1,2024-05-01\n",
        "id,d\n2,31.12.2024\n3,01.02.2025\n4,\n",
        ["2 of 2 values of d are not dates, e.g. '31.12.2024' (written as dd.MM.yyyy?), first in row 1, line 2"],
        [
            'types.columns.d: {type: date, formats: ["dd.MM.yyyy"]}',
            "evolution.columns.d.type_conflicts: to_text",
            "bad_rows.action: quarantine and bad_rows.max_rows: 2",
        ],
    ),
    "days_that_may_be_months": Case(
        "id,d\n1,2024-05-01 10:00\n",
        "id,d\n2,05/01/2025\n",
        ["is not a timestamp: '05/01/2025' (written as dd/MM/yyyy or MM/dd/yyyy?), in row 1, line 2"],
        [
            'types.columns.d: {type: timestamp, formats: ["dd/MM/yyyy"]}',
            'types.columns.d: {type: timestamp, formats: ["MM/dd/yyyy"]}',
            "evolution.columns.d.type_conflicts: to_text",
        ],
    ),
    "words_for_null": Case(
        "id,n\n1,5\n",
        "id,n\n2,NA\n3,6\n4,-\n",
        ["2 of 3 values of n are not integers, e.g. 'NA' (a word for NULL?), first in row 1, line 2"],
        [
            'types.parse.null_values: ["unknown", "NA", "-"]',
            "evolution.columns.n.type_conflicts: to_text",
            "bad_rows.action: quarantine and bad_rows.max_rows: 2",
        ],
        {"types": {"parse": {"null_values": ["unknown"]}}},
    ),
    "words_for_null_in_one_column": Case(
        "id,n\n1,5\n",
        "id,n\n2,NA\n3,6\n",
        ["1 of 2 values of n is not an integer: 'NA' (a word for NULL?), in row 1, line 2"],
        ['types.columns.n: {null_values: ["NA"]}', "evolution.columns.n.type_conflicts: to_text", *QUARANTINE],
    ),
    "words_for_null_in_a_described_column": Case(
        'id,n\n1,"5,5"\n',
        "id,n\n2,NA\n3,x\n4,6\n",
        ["1 of 2 values of n is not a decimal as types.parse describes numbers: 'NA' (a word for NULL?), in row 1"],
        [
            'types.columns.n: {type: "decimal(9,2)", null_values: ["x", "NA"], decimal: ","}',
            "evolution.columns.n.type_conflicts: to_text without types.columns.n",
            *QUARANTINE,
        ],
        {
            "types": {
                "parse": {"null_values": ["unknown"]},
                "columns": {"n": {"type": "decimal(9,2)", "decimal": ",", "null_values": ["x"]}},
            }
        },
    ),
    "a_described_column_too_narrow": Case(
        'id,n\n1,"5,5"\n',
        'id,n\n2,"1234,5"\n3,6\n',
        ["1 of 2 values of n"],
        ['types.columns.n: {type: "decimal(6,2)", decimal: ","}', *QUARANTINE],
        {"types": {"columns": {"n": {"type": "decimal(5,2)", "decimal": ","}}}},
    ),
    "days_in_another_format_than_declared": Case(
        "id,d\n1,2024-05-01\n",
        "id,d\n2,31.12.2024\n3,-\n",
        ["1 of 1 value of d is not a date: '31.12.2024' (written as dd.MM.yyyy?), in row 1, line 2"],
        [
            'types.columns.d: {type: date, null_values: ["-"], formats: ["dd.MM.yyyy"]}',
            "evolution.columns.d.type_conflicts: to_text without types.columns.d",
            *QUARANTINE,
        ],
        {"types": {"columns": {"d": {"type": "date", "null_values": ["-"]}}}},
    ),
    "a_declared_text_too_long": Case(
        "id,s\n1,abc\n",
        "id,s\n2,abcd\n",
        ["1 of 1 value of s does not fit into varchar(3): 'abcd' (4 bytes), in row 1, line 2"],
        ["types.columns.s: varchar(256)"],
        {"types": {"columns": {"s": "varchar(3)"}}},
    ),
    "a_char_too_short": Case(
        "create table {table} (id bigint, s char(2))",
        "id,s\n2,abc\n",
        ["1 of 1 value of s does not fit into char(2): 'abc' (3 bytes), in row 1, line 2"],
        ["types.columns.s: char(3)"],
    ),
    "a_char_that_is_not_ascii": Case(
        "create table {table} (id bigint, s char(2))",
        "id,s\n2,é\n3,a\n",
        ["1 of 2 values of s does not fit into char(2): 'é' (characters that are not ASCII), in row 1, line 2"],
        QUARANTINE,
    ),
    "a_key_that_would_be_rounded": Case(
        "id,n\n0.5,5\n",
        "id,n\n-8.625272885994111,5\n",
        ["1 of 1 value of id would be rounded by double precision: '-8.625272885994111' (more digits than it keeps)"],
        ["types.columns.id: double precision"],
    ),
    "a_key_that_cannot_become_text": Case(
        "id,n\n0.5,5\n",
        "id,n\nx,5\n1.5,6\n",
        ["1 of 2 values of id is not a number: 'x', in row 1, line 2"],
        QUARANTINE,
        {"evolution": {"type_conflicts": "to_text"}},
    ),
    "a_timestamp_with_an_offset": Case(
        "id,at\n1,2024-05-01 10:00\n",
        "id,at\n2,2024-05-01 10:00+02\n",
        ["1 of 1 value of at is not a timestamp: '2024-05-01 10:00+02' (an offset from UTC), in row 1, line 2"],
        ["evolution.columns.at.type_conflicts: to_text"],
    ),
    "other_booleans": Case(
        "id,b\n1,true\n",
        "id,b\n2,yes\n3,no\n",
        ["2 of 2 values of b are not booleans, e.g. 'yes' (another word for true or false?), first in row 1, line 2"],
        ["evolution.columns.b.type_conflicts: to_text"],
    ),
    "keys_without_a_value": Case(
        "",
        "id,n\n,5\n1,6\n,7\n",
        ["2 of 3 rows have no id, which load.keys names, first in row 1, line 2"],
        ["bad_rows.action: quarantine and bad_rows.max_rows: 2"],
    ),
    "columns_that_must_have_a_value": Case(
        "create table {table} (id bigint, n integer not null)",
        "id,n\n1,\n2,6\n",
        ["1 of 2 rows has no n, which is NOT NULL in the table, in row 1, line 2"],
        QUARANTINE,
    ),
    "too_many_fields": Case(
        "id,n\n1,5\n",
        "id,n\n2,6,7\n3,8\n",
        ["another number of fields than the header, in row 1, line 2: 3 instead of 2 (a ',' in a text"],
        QUARANTINE,
    ),
    "too_few_fields": Case(
        "",
        "id,n\n2\n3,8\n4\n",
        ["2 of 3 records have another number of fields than the header, first in row 1, line 2: 1 instead of 2 (cut"],
        ["source.options.short_rows: pad", "bad_rows.action: quarantine and bad_rows.max_rows: 2"],
    ),
    "blanks_around_numbers": Case(
        "id,n\n1,5\n",
        "id,n\n2, 6\n3,8 \n",
        ["2 of 2 values of n are not integers, e.g. ' 6' (blanks around it), first in row 1, line 2"],
        ["source.options.trim: all", "evolution.columns.n.type_conflicts: to_text"],
    ),
    "too_many_digits_of_a_percentage": Case(
        "",
        "id,rate\n2,1.25%\n3,12.345%\n",
        ["1 of 2 values of rate does not fit into decimal(5,4): '12.345%' (too many digits), in row 2, line 3"],
        ['types.columns.rate: {type: "decimal(6,5)", percent: true}', "types.columns.rate: varchar(256)", *QUARANTINE],
        {"types": {"columns": {"rate": {"type": "decimal(5,4)", "percent": True}}}},
    ),
    "a_total_below_the_rows": Case(
        "id,n\n1,5\n",
        "id,n\n2,6\n3,8\nTotal,14\n",
        ["1 of 3 values of id is not an integer"],
        ["evolution.columns.id.type_conflicts: to_text", "source.options.footer_lines: 1", *QUARANTINE],
    ),
    "over_a_number_of_rows": Case(
        "id,n\n1,5\n",
        "id,n\n2,x\n3,y\n4,5\n",
        ["2 of 3 values of n are not integers, e.g. 'x', first in row 1, line 2"],
        ["evolution.columns.n.type_conflicts: to_text", "bad_rows.max_rows: 2"],
        {"bad_rows": {"action": "quarantine", "max_rows": 1}},
    ),
    "over_a_fraction": Case(
        "id,n\n1,5\n",
        "id,n\n2,x\n3,y\n4,5\n",
        ["2 of 3 values of n are not integers, e.g. 'x', first in row 1, line 2"],
        ["evolution.columns.n.type_conflicts: to_text", "bad_rows.max_fraction: 0.67"],
        {"bad_rows": {"action": "quarantine", "max_fraction": 0.1, "max_rows": 7}},
    ),
}


def spec_of(case: Case) -> dict[str, Any]:
    return {
        "target": {"table": "{name}"},
        "load": {"keys": ["id"]},
        "metadata_columns": {"run_date": None, "file_name": None},
        **case.more,
        "source": {"prefix": "data/in/{name}/", **case.more.get("source", {})},
    }


def prepared(make_feed: MakeFeed, case: Case, spec: dict[str, Any]) -> FeedHarness:
    """Return a feed with what was there before the file, which the spec as it was first has loaded."""
    feed = make_feed(yaml.safe_dump(spec_of(case)))
    if case.before.startswith("create table"):
        feed.sql(case.before.format(table=feed.table))
    elif case.before:
        assert feed.load(f"{next(_NUMBERS)}.csv", case.before).status == "SUCCESS"
    feed.spec_body = yaml.safe_dump(spec)
    return feed


def ways_out(message: str) -> list[re.Match[str]]:
    head, mark, tail = message.partition("or change the spec:\n")
    assert mark or "Correct the rows and send the file again." in head
    return [found for line in tail.splitlines() if (found := _WAY_OUT.fullmatch(line))]


def changed(spec: dict[str, Any], way_out: re.Match[str]) -> dict[str, Any]:
    """Return the spec with a way out taken, as its reader would."""
    spec = copy.deepcopy(spec)
    for change in way_out["fields"].split(" and "):
        path, _, value = change.partition(": ")
        *parents, name = path.split(".")
        place = spec
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = yaml.safe_load(value)
    if way_out["removed"]:
        *parents, name = way_out["removed"].split(".")
        place = spec
        for parent in parents:
            place = place[parent]
        del place[name]
    return spec


def to_take(offered: list[re.Match[str]], is_exhaustive: bool) -> list[re.Match[str]]:
    """Return the ways out of a case: without --exhaustive not what most cases offer, beside ways of its own."""
    own = [way_out for way_out in offered if not _OF_MOST_CASES.search(way_out["fields"])]
    return offered if is_exhaustive or not own else own


@pytest.mark.exhaustive(every=4)
@pytest.mark.parametrize("name", CASES)
def test_a_refused_file_loads_by_each_way_out_that_its_message_offers(
    make_feed: MakeFeed, request: pytest.FixtureRequest, name: str
) -> None:
    case = CASES[name]
    feed = prepared(make_feed, case, spec_of(case))

    result = feed.load("refused.csv", case.content)

    assert result.failure is not None
    message = result.failure.message
    for shown in case.shown:
        assert shown in message
    offered = ways_out(message)
    assert [way_out[0].rpartition(" (")[0].strip() for way_out in offered] == case.ways_out
    of_columns = [way_out for way_out in offered if "bad_rows" not in way_out["fields"]]
    # Where several columns are at fault each needs a way out of its own.
    taken = to_take(offered, request.config.getoption("--exhaustive"))
    specs = [changed(spec_of(case), way_out) for way_out in taken]
    if len(case.shown) > 1 and len(of_columns) > 1:
        specs = [changed(changed(spec_of(case), of_columns[0]), of_columns[1])]
    for spec in specs:
        again = prepared(make_feed, case, spec)
        loaded = again.load("refused.csv", case.content)
        assert loaded.status == "SUCCESS", (spec, loaded.failure)


def test_a_column_whose_bad_rows_come_late_has_an_example_too(make_feed: MakeFeed) -> None:
    feed = make_feed(yaml.safe_dump(spec_of(Case("", "", [], []))))
    feed.load("1.csv", csv_text("id,a,b", "1,1,1"))
    rows = [f"{n},x,{n}" for n in range(300)]

    result = feed.load("2.csv", csv_text("id,a,b", *rows, "300,1,late", "301,2"))

    assert result.failure is not None
    assert "300 of 301 values of a are not integers, e.g. 'x', first in row 1, line 2" in result.failure.message
    assert "1 of 301 values of b is not an integer: 'late', in row 301, line 302" in result.failure.message
    assert "1 of 302 records has another number of fields than the header, in row 302" in result.failure.message


def test_two_files_of_one_load_are_reported_together_with_their_names(make_feed: MakeFeed) -> None:
    spec = spec_of(Case("", "", [], []))
    spec["source"]["batch"] = "all"
    feed = make_feed(yaml.safe_dump(spec | {"types": {"columns": {"n": "integer"}}}))
    feed.land("1.csv", csv_text("id,n", "1,x", "2,2"))
    feed.land("2.csv", csv_text("id,n", "3,y", "4,4"))

    result, _ = feed.run()

    assert result.failure is not None
    assert "1.csv: 1 of 2 rows cannot be loaded" in result.failure.message
    assert "2.csv: 1 of 2 rows cannot be loaded" in result.failure.message
    assert "2 of 4 values of n are not integers, e.g. 'x', first in 1.csv, row 1, line 2" in result.failure.message


def test_without_samples_a_hint_is_given_and_no_value(make_feed: MakeFeed) -> None:
    case = CASES["words_for_null"]
    feed = prepared(make_feed, case, spec_of(case) | {"bad_rows": {"log_samples": False}})

    result = feed.load("refused.csv", case.content)

    assert result.failure is not None
    assert "2 of 3 values of n are not integers (a word for NULL?), first in row 1, line 2" in result.failure.message
    assert "NA" not in result.failure.message.replace("NAME", "")
