"""Cells of segments as texts and values, as DuckDB expressions, whatever the cells are."""

from __future__ import annotations

from framework.dataclass import dataclass
from framework.model.column_type import ColumnType, Kind, can_widen
from framework.rows.segments import Cells, Segment
from framework.rows.sql.expressions import quoted, without_exponent

HEX = "\\x"
NO_TEXT = "\0" + HEX
"""Begins what stands for bytes that are no text, which no column takes; their hexadecimal digits follow."""
INT96 = "INT96"
"""Names the type of timestamps of Parquet that are read as a struct of a day and a time with nanoseconds."""
_TEXTS = ("VARCHAR", "ENUM", "UUID")
_WITHOUT_COLUMN_TYPE = "DECIMAL(38,38)"
"""It has one digit behind the point too many for a column, and is a text."""
_NESTED = ("STRUCT", "MAP", "LIST", "UNION", "ARRAY")
_FIRST_DAY, _LAST_DAY = "date '0001-01-01'", "date '9999-12-31'"
_FIRST_TIME, _LAST_TIME = "epoch_us(timestamp '0001-01-01')", "epoch_us(timestamp '9999-12-31 23:59:59.999999')"


@dataclass(frozen=True)
class Native:
    """A cell whose own type is that of the column, or narrower: its value, NULL for a misfit.

    `is_value` is the condition that it is one, None where the value itself shows it.
    """

    value: str
    is_value: str | None = None


def cell_text(segment: Segment, index: int, as_json: bool = False) -> str:
    """Return the expression of a cell's text; `as_json`: as a value of JSON."""
    cell = f"c{index}"
    match segment.table.cells:
        case Cells.TEXT:
            return cell
        case Cells.JSON:
            return _json_value(cell) if as_json else _json_text(cell)
        case Cells.TYPED:
            return _typed_json(segment, index) if as_json else _typed_text(cell, _type_name(segment, index))


def record_text(segment: Segment, index: int) -> str:
    r"""Return the expression of a cell's text as records of bad rows have it: bytes that are no text as `\xff00`."""
    if segment.table.cells is Cells.TYPED and _type_name(segment, index) == "BLOB":
        cell = f"c{index}"
        return f"case when {cell} is not null then coalesce(try(decode({cell})), {_hex(cell, HEX)}) end"
    return cell_text(segment, index)


def _hex(cell: str, mark: str) -> str:
    return f"concat({quoted(mark)}, lower(hex({cell})))"


def is_string(segment: Segment, index: int) -> str | None:
    """Return the condition that the file itself calls a cell a text; None where it does not say what its cells are."""
    match segment.table.cells:
        case Cells.TEXT:
            return None
        case Cells.JSON:
            return f"starts_with(c{index}, '\"')"
        case Cells.TYPED:
            return "true" if _is_text(_type_name(segment, index)) else "false"


def native(segment: Segment, index: int, column_type: ColumnType) -> Native | None:
    """Return a cell as a value of the column's type, where no text need come between; None elsewhere."""
    if segment.table.cells is not Cells.TYPED:
        return None
    own, cell = segment.layout.types[index].type, f"c{index}"
    if own is None or own.is_text or not (can_widen(own, column_type) or (own.is_integer and column_type.is_integer)):
        return None
    name = _type_name(segment, index)
    match column_type.kind:
        case Kind.SMALLINT | Kind.INTEGER | Kind.BIGINT | Kind.DECIMAL:
            return Native(f"try_cast({cell} as {column_type.sql})")
        case Kind.BOOLEAN:
            return Native(cell)
        case Kind.REAL | Kind.DOUBLE if own == column_type:
            # A sum with 0 has no sign: -0 is 0.
            return Native(f"{cell} + 0", f"isfinite({cell})")
        case Kind.DATE:
            return Native(cell, f"{cell} between {_FIRST_DAY} and {_LAST_DAY}")
        case Kind.TIMESTAMP if name == INT96:
            day, clock = _parts(cell)
            exact = f"epoch_ns({clock}) % 1000 = 0"
            return Native(f"{day} + cast({clock} as time)", f"{day} between {_FIRST_DAY} and {_LAST_DAY} and {exact}")
        case Kind.TIMESTAMP:
            value = f"cast({cell} as timestamp)"
            in_range = f"isfinite({cell}) and year({cell}) between 1 and 9999"
            # Beyond the microseconds it would be cut off.
            exact = f" and epoch_ns({cell}) % 1000 = 0" if name == "TIMESTAMP_NS" else ""
            return Native(value, in_range + exact)
        case Kind.TIMESTAMPTZ:
            return Native(cell, f"isfinite({cell}) and epoch_us({cell}) between {_FIRST_TIME} and {_LAST_TIME}")
        case _:
            return None


def _parts(cell: str) -> tuple[str, str]:
    """Return the day and the time of a cell of INT96."""
    return f"struct_extract({cell}, 'date')", f"struct_extract({cell}, 'time')"


def _type_name(segment: Segment, index: int) -> str:
    return segment.layout.types[index].name


def _is_text(name: str) -> bool:
    return name.startswith(_TEXTS) or name in ("BLOB", "JSON", _WITHOUT_COLUMN_TYPE)


def is_nested_cell(segment: Segment, index: int) -> bool:
    """Return whether the file has a typed column of objects or arrays."""
    return segment.table.cells is Cells.TYPED and is_nested(_type_name(segment, index))


def is_nested(name: str) -> bool:
    """Return whether a type of DuckDB is one of objects or arrays."""
    return name.startswith(_NESTED) or name.endswith("]")


def _json_text(cell: str) -> str:
    """Return the text of a value of JSON: a string without its quotes, a number without zeros and exponent."""
    string = f"case when contains({cell}, '\\') then json_extract_string({cell}, '$') else {cell}[2:-2] end"
    number = f"ends_with({cell}, '0') and regexp_full_match({cell}, '-?[0-9]+\\.[0-9]*0')"
    return (
        f"case when starts_with({cell}, '\"') then {string} "
        f"when {number} then rtrim(rtrim({cell}, '0'), '.') "
        f"when {cell} < ':' and contains({cell}, 'e') then {without_exponent(cell)} else {cell} end"
    )


def _json_value(cell: str) -> str:
    """Return a value of JSON, of which the dates and times of a workbook are none without quotes."""
    is_day = f"regexp_full_match({cell}, '-?[0-9]+[-:][0-9]{{2}}[-:].*')"
    return (
        f"case when ({cell} < ':' or starts_with({cell}, '-')) and not starts_with({cell}, '\"') "
        f"then case when {is_day} then concat('\"', {cell}, '\"') else {cell} end else {cell} end"
    )


def _typed_text(cell: str, name: str) -> str:
    if name == "VARCHAR":
        return cell
    if name == "BLOB":
        return f"case when {cell} is not null then coalesce(try(decode({cell})), {_hex(cell, NO_TEXT)}) end"
    if name == "TIMESTAMP WITH TIME ZONE":
        # DuckDB's own cast would write it in the zone of the machine.
        utc = f"concat(cast(make_timestamp(epoch_us({cell})) as varchar), '+00')"
        return f"case when isfinite({cell}) then {utc} when not isfinite({cell}) then 'infinity' end"
    if is_nested(name):
        return f"cast(to_json({cell}) as varchar)"
    if name == INT96:
        return f"case when {cell} is not null then concat_ws(' ', {', '.join(_parts(cell))}) end"
    if name.startswith("DECIMAL"):
        # Without digits before the point, DuckDB leaves their zero out.
        return f"regexp_replace(cast({cell} as varchar), '^(-?)\\.', '\\10.')"
    text = f"cast({cell} as varchar)"
    if name in ("FLOAT", "DOUBLE"):
        return f"case when contains({text}, 'e') then {without_exponent(text)} else {text} end"
    return text


def _typed_json(segment: Segment, index: int) -> str:
    cell, name = f"c{index}", _type_name(segment, index)
    text = _typed_text(cell, name)
    if is_nested(name) or name == "JSON":
        return text
    # A text is no value of JSON: it needs quotes, and so do dates and times.
    own = segment.layout.types[index].type
    is_plain = own is not None and (own.is_exact_number or own.kind in (Kind.BOOLEAN, Kind.REAL, Kind.DOUBLE))
    return text if is_plain else f"cast(to_json({text}) as varchar)"
