"""What the message of a refused COPY or merge has of columns, files and values, and what it leaves out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from framework.errors import AtFault, RefusedStatement, TransientWarehouseError, WarehouseError
from framework.load.failures.load_errors import explain_copy, explain_merge
from framework.model.measurements import RowRange, StagingFile
from framework.plan.load_input import LoadInput
from framework.warehouse.load_errors import LoadError, LoadErrors
from tests.unit.load.calls import Call
from tests.unit.load.expectations import require_nothing_left
from tests.unit.load.failures.test_refusals import attempted
from tests.unit.load.fake_warehouse import Refusal
from tests.unit.load.scenarios import SCENARIOS, Bench

STAGED = StagingFile("s3://lake/staging/g/i/r/rows-1.parquet", 9, (RowRange("s3://lake/in/one.csv", 8, 9),))
OTHER = StagingFile("s3://lake/staging/g/i/r/rows-2.parquet", 9, (RowRange("s3://lake/in/two.csv", 1, 4),))
REASON = "Invalid digit, Value 'secret', Pos 0, Type: Integer"
ERROR = LoadError(STAGED.url, 4, "name", "varchar", "20", 1207, REASON, "secret")


def load_of(*files: StagingFile, samples: bool = True) -> LoadInput:
    load = attempted("no drift").load
    bad_rows = replace(load.spec.bad_rows, log_samples=samples)
    names = replace(load.names, spec=replace(load.spec, bad_rows=bad_rows))
    return replace(load, names=names, staged=replace(load.staged, seen=replace(load.staged.seen, staging_files=files)))


def refused(column: str | None = None, file: str | None = None) -> WarehouseError:
    return WarehouseError("it is refused\nSQL: copy", refused=RefusedStatement(at_fault=AtFault(column, file)))


def lines(load: LoadInput, found: LoadErrors, error: WarehouseError | None = None) -> list[str]:
    first, *between, last = str(explain_copy(load, error or refused(), found)).splitlines()
    assert (first, last) == ("it is refused", "SQL: copy")
    return between


COLUMN = "Column 'name' is varchar(20): as the table has it (golden.yml has no types.columns.name)."
ROWS = "rows-1.parquet was made of rows 8 to 9 of s3://lake/in/one.csv."


def test_a_load_error_has_column_type_place_value_and_rows() -> None:
    found = lines(load_of(STAGED, OTHER), LoadErrors(7, (ERROR,), ("a note",)))

    assert found == [
        "Load errors of query 7:",
        f"  column 'name', varchar(20): {REASON} (code 1207), in rows-1.parquet, line 4",
        "    value: 'secret'",
        COLUMN,
        ROWS,
        "a note.",
    ]


def test_without_samples_no_value_is_shown() -> None:
    found = lines(load_of(STAGED, samples=False), LoadErrors(7, (ERROR,)))

    assert "secret" not in "\n".join(found)
    assert found[1].startswith(
        "  column 'name', varchar(20): Invalid digit, Value '…', Pos 0, Type: Integer (code 1207)"
    )


@pytest.mark.parametrize(
    "address",
    [
        STAGED.url,
        "https://s3.eu-west-1.amazonaws.com/lake/staging/g/i/r/rows-1.parquet",
        "rows-1.parquet",
        # A long address is cut off, which is enough where one file alone begins so.
        STAGED.url[:-8],
    ],
)
def test_a_staging_file_is_known_by_any_address(address: str) -> None:
    assert lines(load_of(STAGED, OTHER), LoadErrors(None), refused(file=address)) == [ROWS]


@pytest.mark.parametrize("address", ["", "s3://lake/staging/g/i/r/rows-", "s3://lake/staging/g/i/r/manifest.json"])
def test_rows_are_claimed_of_no_file_that_is_not_known(address: str) -> None:
    error = replace(ERROR, file=address, line=4)
    found = lines(load_of(STAGED, OTHER), LoadErrors(7, (error,)), refused(file=address or None))

    assert found[1] == f"  column 'name', varchar(20): {REASON} (code 1207)"
    assert not [line for line in found if "was made of" in line]


def test_a_name_that_is_no_column_of_the_load_is_not_repeated() -> None:
    assert lines(load_of(STAGED), LoadErrors(None), refused(column="o'hara, 12 Elm Street")) == []


def test_a_column_that_both_name_is_explained_once() -> None:
    found = lines(load_of(STAGED), LoadErrors(7, (ERROR, ERROR)), refused("name", "rows-1.parquet"))

    assert (found.count(COLUMN), found.count(ROWS)) == (1, 1)


def test_of_many_source_files_the_first_ones_are_named() -> None:
    ranges = tuple(RowRange(f"s3://lake/in/{number}.csv", 1, 2) for number in range(1_000))
    (found,) = lines(load_of(replace(STAGED, rows=ranges)), LoadErrors(None), refused(file=STAGED.url))

    assert found.endswith("rows 1 to 2 of s3://lake/in/2.csv, and 997 more ranges.")
    assert len(found) < 300


def test_a_merge_has_the_column_that_its_message_names() -> None:
    assert COLUMN in str(explain_merge(load_of(), refused("name")))
    assert "The message names no column" in str(explain_merge(load_of(), refused()))


@pytest.mark.parametrize("divided", [False, True])
@pytest.mark.parametrize("is_outage", [False, True])
def test_a_look_up_that_fails_hides_no_refusal(is_outage: bool, divided: bool) -> None:
    bench = Bench(SCENARIOS["no drift"], divided=divided)
    bench.warehouse.refusals = [Refusal("copy" if divided else "merge", "copy_staging", query_id=7)]
    error = TransientWarehouseError("no answer", is_outage=True) if is_outage else WarehouseError("no answer")
    bench.calls.failures = {Call("run", "load_errors"): error}
    (result,) = bench.run()

    assert result.failure is not None
    assert result.failure.message.startswith("copy_staging is refused\n")
    assert "sys_load_error_detail could not be read: no answer." in result.failure.message
    assert isinstance(result.failure.error, WarehouseError)
    assert not result.failure.error.is_outage
    assert len(bench.warehouse.of("load_errors")) == 1
    require_nothing_left(bench)


def test_a_refusal_without_a_query_id_is_not_looked_up() -> None:
    bench = Bench(SCENARIOS["no drift"])
    bench.warehouse.refusals = [Refusal("merge", "copy_staging")]
    (result,) = bench.run()

    assert result.failure is not None
    assert "no query id" in result.failure.message
    assert bench.warehouse.of("load_errors") == []


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_load_that_succeeds_looks_nothing_up(scenario: str) -> None:
    bench = Bench(SCENARIOS[scenario])
    bench.run()

    assert bench.warehouse.of("load_errors") == []
