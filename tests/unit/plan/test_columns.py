"""What a load stages, and what it asks of the table: laws and single decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from framework.errors import SchemaChangeError, SourceFileError, SpecError
from framework.model.column_type import can_widen, parse_type
from framework.model.files import FileIdentity, FileLayout, RowsStart, SourceBatch, SourceFile
from framework.model.measurements import ColumnMeasurement, ColumnProfile, FileMeasurement, Measurements
from framework.model.notation import PLAIN
from framework.model.observation import Observation, ObservedTable, TableColumn
from framework.plan.columns import UnloadableColumn, columns_to_profile, plan_columns
from framework.plan.fit import file_columns
from framework.plan.measured import apply_measurements
from framework.plan.missing import Fill
from framework.plan.schema_changes import AddColumn, CreateTable, Widening, plan_changes, table_after
from framework.plan.type_reason import TypeReason
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import PipelineSpec

NOON = datetime(2026, 1, 2, tzinfo=UTC)
NAMES = ["a", "b", "c", "d"]
TEXT_PROFILE = ColumnProfile(2, 0, 0, 0, 0, 0, 3, 0, 0, None, None)
TYPES = [
    "smallint",
    "integer",
    "bigint",
    "decimal(10,2)",
    "date",
    "time",
    "timestamp",
    "boolean",
    "super",
    "varchar(20)",
    "varchar(256)",
]


def spec(more: str = "") -> PipelineSpec:
    text = f"pipeline: p\nsource: {{prefix: data/in/p/}}\ntarget: {{table: t}}\nload: {{keys: [id]}}\n{more}"
    return load_pipeline_text(text, "p.yml", "p")


def batch(*headers: tuple[str, ...]) -> SourceBatch:
    layouts = []
    for ordinal, columns in enumerate(headers):
        identity = FileIdentity("lake", f"data/in/p/{ordinal}.csv", "e", 1)
        file = SourceFile("lake", identity.key, "e", 1, NOON, identity, NOON)
        layouts.append(
            FileLayout(file, ordinal, f"{ordinal}.csv", columns, spec().source.csv, RowsStart(0, 1, "\n", True))
        )
    return SourceBatch(tuple(layouts))


def table(columns: dict[str, str]) -> ObservedTable:
    found = [TableColumn("id", parse_type("bigint"), "bigint", nullable=False)]
    found += [TableColumn(name, parse_type(text), text, nullable=True) for name, text in columns.items()]
    return ObservedTable(spec().target.table, tuple(found))


def observation(found: ObservedTable | None) -> Observation:
    return Observation(found, frozenset({"public"}), frozenset())


profiles = st.builds(
    ColumnProfile,
    values=st.just(3),
    integers=st.sampled_from([0, 3]),
    numbers=st.sampled_from([0, 3]),
    booleans=st.sampled_from([0, 3]),
    dates=st.sampled_from([0, 3]),
    timestamps=st.just(0),
    longest_bytes=st.integers(0, 70_000),
    integer_digits=st.integers(1, 45),
    scale=st.integers(0, 45),
    smallest=st.one_of(st.none(), st.integers(-(10**37), 0)),
    largest=st.integers(0, 10**37),
)
measurements = st.builds(
    ColumnMeasurement,
    longest_bytes=st.integers(0, 65_535),
    misfits=st.just(1),
    wider=st.integers(0, 1),
    integer_digits=st.integers(1, 45),
    scale=st.integers(0, 45),
    smallest=st.integers(-(10**37), 0),
    largest=st.integers(0, 10**37),
)


@given(
    st.one_of(st.none(), st.dictionaries(st.sampled_from(NAMES), st.sampled_from(TYPES), max_size=4)),
    st.lists(st.sampled_from(NAMES), unique=True, min_size=1),
    st.lists(profiles, min_size=4, max_size=4),
    st.lists(measurements, min_size=4, max_size=4),
)
def test_an_applied_plan_leaves_nothing_to_do_and_loses_nothing(
    columns: dict[str, str] | None, header: list[str], profiled: list[ColumnProfile], measured: list[ColumnMeasurement]
) -> None:
    before = table(columns) if columns is not None else None
    observed, files = observation(before), batch(("id", *header))
    seen = dict(zip(NAMES, measured, strict=True)) | {"id": ColumnMeasurement(), "run_date": ColumnMeasurement()}
    known = dict(zip(NAMES, profiled, strict=True)) | {"id": profiled[0]}

    def changes(now: Observation) -> tuple[object, ...]:
        staging = plan_columns(spec(), now.table, files, known, NOON)
        everything = {column.name: seen.get(column.name, ColumnMeasurement()) for column in staging.columns}
        measured = Measurements((FileMeasurement(0, 3, 3, 0),), everything, 0)
        staging = apply_measurements(spec(), staging, measured)
        return plan_changes(staging.column_changes, now, spec().target.table, (None, ()))

    first = changes(observed)
    after = table_after(observed, spec().target.table, first)  # type: ignore[arg-type]

    assert after is not None
    if before is not None:
        for column in before.columns:
            kept = after.column(column.name)
            assert kept is not None
            assert kept.type is not None
            assert column.type is not None
            assert can_widen(column.type, kept.type)
    second = changes(replace(observed, table=after))
    # A column that was just added was profiled; what is "measured" here of it is another file's.
    settled = {column.name for column in before.columns} if before is not None else set()
    assert not any(isinstance(change, CreateTable | AddColumn) for change in second)
    assert not [change for change in second if getattr(change, "name", None) in settled]


@given(st.permutations(["id", *NAMES]))
def test_the_order_of_the_columns_in_the_file_changes_no_type(header: list[str]) -> None:
    known = {name: ColumnProfile(3, 3, 3, 0, 0, 0, 2, 2, 0, 1, 99) for name in header}

    staging = plan_columns(spec(), None, batch(tuple(header)), known, NOON)

    types = {column.name: column.target_type.sql for column in staging.columns}
    assert types == {
        "id": "bigint",
        **dict.fromkeys(NAMES, "integer"),
        "run_date": "timestamp",
        "file_name": "varchar(1024)",
    }


def test_only_columns_nobody_settled_are_profiled() -> None:
    declared = spec("types: {columns: {b: date}}")

    assert columns_to_profile(declared, table({"a": "integer"}), batch(("id", "a", "b", "c"))) == {"c": PLAIN}


def test_a_file_without_an_upsert_key_is_refused() -> None:
    with pytest.raises(SourceFileError, match="'id'") as caught:
        file_columns(spec(), batch(("id", "a"), ("a",)))

    assert caught.value.keys == ("data/in/p/1.csv",)


def test_a_file_with_a_metadata_columns_name_is_refused() -> None:
    with pytest.raises(SourceFileError, match="metadata_columns"):
        file_columns(spec(), batch(("id", "run_date")))


def test_a_column_of_a_type_that_cannot_be_loaded_is_refused_by_name() -> None:
    odd = TableColumn("extra", None, "super", nullable=True)
    found = replace(table({"a": "integer"}), columns=(*table({"a": "integer"}).columns, odd))

    with pytest.raises(SchemaChangeError, match="'extra' is super"):
        plan_columns(spec(), found, batch(("id", "a", "extra")), {}, NOON)


def test_an_identity_column_is_left_to_the_warehouse() -> None:
    numbered = TableColumn("n", parse_type("bigint"), "bigint", nullable=False, default='"identity"(1, 0, 1, 1)')
    found = replace(table({}), columns=(*table({}).columns, numbered))

    staging = plan_columns(spec("metadata_columns: {run_date: null, file_name: null}"), found, batch(("id",)), {}, NOON)

    assert [column.name for column in staging.columns] == ["id"]


def test_a_declared_type_does_not_grow_by_itself() -> None:
    declared = spec("types: {columns: {a: varchar(20)}}")

    staging = plan_columns(declared, table({"a": "varchar(20)"}), batch(("id", "a")), {}, NOON)

    assert not staging.columns[1].may_widen
    assert staging.columns[1].staged.type == parse_type("varchar(20)")


@pytest.mark.parametrize(
    ("current", "declared", "possible"),
    [
        (
            "integer",
            "varchar(16)",
            "bigint or a decimal with at least 10 digits before the point, such as decimal(38,18)",
        ),
        ("bigint", "integer", "a decimal with at least 19 digits before the point, such as decimal(38,18)"),
        ("decimal(10,2)", "decimal(10,3)", "a decimal with at least 8 digits before the point and 2 after it"),
        ("varchar(20)", "varchar(10)", "a longer varchar"),
        ("date", "timestamptz", "timestamp"),
    ],
)
def test_a_declared_type_that_is_no_widening_is_an_error_of_the_spec(
    current: str, declared: str, possible: str
) -> None:
    with pytest.raises(SpecError, match=r"p\.yml: types\.columns\.a is") as caught:
        plan_columns(
            spec(f"types: {{columns: {{a: '{declared}'}}}}"), table({"a": current}), batch(("id", "a")), {}, NOON
        )

    assert f"{current} can be widened to {possible}, and to nothing else." in str(caught.value)
    assert ("type_conflicts: to_text" in str(caught.value)) is (declared == "varchar(16)")


def test_a_type_that_nothing_widens_says_so() -> None:
    with pytest.raises(SpecError, match="timestamptz cannot be widened: declare timestamptz, or nothing"):
        plan_columns(
            spec("types: {columns: {a: timestamp}}"), table({"a": "timestamptz"}), batch(("id", "a")), {}, NOON
        )


@pytest.mark.parametrize("load", ["keys: [id]", "mode: append", "mode: replace"])
def test_a_column_that_cannot_be_loaded_is_excluded_where_the_file_has_it(load: str) -> None:
    with pytest.raises(SchemaChangeError, match=r"'g' is geometry, which Feedway cannot load\. List it under columns"):
        plan_columns(unloadable_spec(load), with_geometry(), batch(("id", "g")), {}, NOON)

    excluding = unloadable_spec(load, "columns: {exclude: [g]}")
    plan = plan_columns(excluding, with_geometry(), batch(("id", "g")), {}, NOON)
    assert [column.name for column in plan.columns if column.name == "g"] == []
    assert plan.warnings == ()


@pytest.mark.parametrize(
    ("load", "fill", "effect"),
    [
        ("keys: [id]", Fill("g", None, True, (0,)), "stored rows keep their values, new rows get NULL"),
        ("mode: append", None, "new rows get the table's default there"),
        ("mode: replace", Fill("g", None, False, (0,), unless_filled=True), "all rows get NULL"),
    ],
)
def test_a_column_that_cannot_be_loaded_is_left_alone_and_named(load: str, fill: Fill | None, effect: str) -> None:
    plan = plan_columns(unloadable_spec(load), with_geometry(), batch(("id",)), {}, NOON)

    assert plan.kept == (() if fill is None else (UnloadableColumn("g", "geometry", fill),))
    assert plan.fills == (() if fill is None else (fill,))
    (warning,) = plan.warnings
    assert (warning.rule, warning.column) == ("unloadable-column", "g")
    assert f"'g' is geometry, which Feedway cannot load: {effect}." in warning.message


@pytest.mark.parametrize("policy", ["reject", "null", "{stored_rows: overwrite}", "{new_rows: reject}"])
def test_what_the_spec_says_of_missing_columns_is_not_about_one_that_no_file_can_have(policy: str) -> None:
    spec = unloadable_spec("keys: [id]", f"evolution: {{missing_columns: {policy}}}")

    plan = plan_columns(spec, with_geometry(), batch(("id",)), {}, NOON)

    assert plan.fills == (Fill("g", None, True, (0,)),)


def test_a_not_null_column_that_cannot_be_loaded_needs_files_without_new_rows() -> None:
    for load, way_out in (("keys: [id]", "{new_rows: reject}"), ("mode: replace", "Load into a table without it")):
        with pytest.raises(SchemaChangeError, match=f"and NOT NULL, so that new rows.*{way_out}"):
            plan_columns(unloadable_spec(load), with_geometry(nullable=False), batch(("id",)), {}, NOON)

    spec = unloadable_spec("keys: [id]", "evolution: {columns: {g: {missing_columns: {new_rows: reject}}}}")
    plan = plan_columns(spec, with_geometry(nullable=False), batch(("id",)), {}, NOON)
    assert plan.fills == (Fill("g", None, True, (0,), rejects_new=True),)


def unloadable_spec(load: str, more: str = "") -> PipelineSpec:
    text = f"pipeline: p\nsource: {{prefix: data/in/p/}}\ntarget: {{table: t}}\nload: {{{load}}}\n{more}\n"
    return load_pipeline_text(f"{text}metadata_columns: {{run_date: null, file_name: null}}\n", "p.yml", "p")


def with_geometry(nullable: bool = True) -> ObservedTable:
    known = table({})
    return replace(known, columns=(*known.columns, TableColumn("g", None, "geometry", nullable=nullable)))


@pytest.mark.parametrize("use", ["load: {keys: [id, a]}", "load: {keys: [id], order_by: [a desc]}"])
def test_rows_are_not_compared_by_a_super(use: str) -> None:
    text = f"pipeline: p\nsource: {{prefix: data/in/p/}}\ntarget: {{table: t}}\n{use}\n"

    with pytest.raises(SpecError, match=r"names 'a', which is SUPER.* make it text: types\.columns\.a: varchar"):
        plan_columns(load_pipeline_text(text, "p.yml", "p"), table({"a": "super"}), batch(("id", "a")), {}, NOON)


def test_a_rule_does_not_make_a_sort_key_of_a_new_table_super() -> None:
    text = "pipeline: p\nsource: {prefix: data/in/p/}\ntarget: {table: t, sortkey: [a]}\nload: {keys: [id]}\n"
    by_rule = load_pipeline_text(f"{text}types: {{rules: [{{name: a, type: super}}]}}\n", "p.yml", "p")
    profiles = {"id": TEXT_PROFILE, "a": TEXT_PROFILE}

    with pytest.raises(SpecError, match=r"target.sortkey names 'a', which is SUPER"):
        plan_columns(by_rule, None, batch(("id", "a")), profiles, NOON)


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (TableColumn("a", parse_type("smallint"), "smallint", nullable=True, has_column_grants=True), "bigint"),
        (TableColumn("a", parse_type("boolean"), "boolean", nullable=True, default="f()"), "varchar(256)"),
    ],
)
def test_a_column_that_cannot_grow_is_named_in_brief_without_the_values(column: TableColumn, wanted: str) -> None:
    assert column.type is not None
    widening = Widening("a", column.type, parse_type(wanted), TypeReason("values", "values from 10 to 918273645"))
    seen = observation(ObservedTable(spec().target.table, (column,)))

    with pytest.raises(SchemaChangeError, match="918273645") as caught:
        plan_changes([widening], seen, spec().target.table, (None, ()))

    assert caught.value.brief is not None
    assert "918273645" not in caught.value.brief
