"""Functions and casts of a query, rewritten so that PostgreSQL computes what Redshift does."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from framework.sandbox.redshift_sql.column_types import make_type
from framework.sandbox.redshift_sql.function_names import AS_WRITTEN, DATE_PARTS, RENAMED, UNKNOWN_TO_REDSHIFT
from framework.sandbox.redshift_sql.permitted import check_window
from framework.sandbox.redshift_sql.refusal import Refused, not_supported

_DTYPE_NAMES = {
    exp.DType.VARCHAR: "varchar",
    exp.DType.NVARCHAR: "varchar",
    exp.DType.TEXT: "text",
    exp.DType.CHAR: "char",
    exp.DType.NCHAR: "char",
    exp.DType.BPCHAR: "bpchar",
    exp.DType.DECIMAL: "decimal",
    exp.DType.SMALLINT: "smallint",
    exp.DType.INT: "integer",
    exp.DType.BIGINT: "bigint",
    exp.DType.FLOAT: "real",
    exp.DType.DOUBLE: "double precision",
    exp.DType.BOOLEAN: "boolean",
    exp.DType.DATE: "date",
    exp.DType.TIME: "time",
    exp.DType.TIMETZ: "timetz",
    exp.DType.TIMESTAMP: "timestamp",
    exp.DType.TIMESTAMPTZ: "timestamptz",
}
FUNCTION_SCHEMA = "pg_internal"


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """Return a call of a function by its name in PostgreSQL."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def rewrite_functions(tree: exp.Expr) -> exp.Expr:
    """Return the tree with every function call and cast as PostgreSQL is to run it.

    Raises:
        Refused: a function or a type is unknown.
    """
    for node in reversed(list(tree.walk())):
        new = _rewrite(node)
        if new is not node:
            if node is tree:
                tree = new
            else:
                node.replace(new)
    return tree


def _rewrite(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.Anonymous():
            return _rewrite_call(node)
        case exp.Cast():
            return _rewrite_cast(node)
        case exp.Extract():
            return _rewrite_extract(node)
        case exp.CurrentTimestamp() if node.args.get("sysdate"):
            return call(f"{FUNCTION_SCHEMA}.sysdate")
        case exp.Window():
            return _rewrite_window(node)
        case exp.WithinGroup():
            return _rewrite_within_group(node)
        case _:
            return node


def _rewrite_call(node: exp.Anonymous) -> exp.Expr:
    if not isinstance(node.this, str):
        raise not_supported(f"function {node.this.name} with a quoted name")
    if isinstance(node.parent, exp.Dot):
        raise not_supported(f"function {node.name} with a schema")
    name = node.this.lower()
    if name in _REWRITES:
        return _REWRITES[name](node)
    if name in AS_WRITTEN or name in RENAMED:
        return call(RENAMED.get(name, name), *node.expressions)
    if name.startswith(f"{FUNCTION_SCHEMA}."):
        return node
    if name in UNKNOWN_TO_REDSHIFT:
        raise Refused(f"function {name}() does not exist", "42883")
    raise not_supported(f"function {name}()")


def _nvl2(node: exp.Anonymous) -> exp.Expr:
    tested, present, absent = _arguments(node, 3)
    return exp.Case(ifs=[exp.If(this=_is_null(tested), true=absent)], default=present)


def _nullif(node: exp.Anonymous) -> exp.Expr:
    value, excluded = _arguments(node, 2)
    equal = exp.EQ(this=value, expression=excluded)
    return exp.Case(ifs=[exp.If(this=equal, true=exp.Null())], default=value.copy())


def _current_setting(node: exp.Anonymous) -> exp.Expr:
    (setting,) = _arguments(node, 1)
    if not isinstance(setting, exp.Literal) or setting.name.lower() != "statement_timeout":
        raise not_supported("CURRENT_SETTING of anything but statement_timeout")
    return call(f"{FUNCTION_SCHEMA}.statement_timeout")


def _decode(node: exp.Anonymous) -> exp.Expr:
    """NULL equals NULL here.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/r_DECODE_expression.html
    """
    value, *rest = node.expressions
    if len(rest) < 2:
        raise _wrong_arguments(node)
    ifs = []
    for search, result in zip(rest[0::2], rest[1::2], strict=False):
        ifs.append(exp.If(this=_equal_or_both_null(value, search), true=result))
    return exp.Case(ifs=ifs, default=rest[-1] if len(rest) % 2 else exp.Null())


def _equal_or_both_null(value: exp.Expr, search: exp.Expr) -> exp.Expr:
    if isinstance(search, exp.Null):
        return _is_null(value.copy())
    equal = exp.EQ(this=value.copy(), expression=search)
    if isinstance(search, exp.Literal):
        return equal
    both_null = exp.And(this=_is_null(value.copy()), expression=_is_null(search.copy()))
    return exp.Paren(this=exp.Or(this=equal, expression=both_null))


def _is_null(value: exp.Expr) -> exp.Is:
    return exp.Is(this=exp.Paren(this=value), expression=exp.Null())


def _concat(node: exp.Anonymous) -> exp.Expr:
    first, second = _arguments(node, 2)
    return exp.Paren(this=exp.DPipe(this=_as_text(first), expression=_as_text(second)))


def _as_text(value: exp.Expr) -> exp.Cast:
    return exp.Cast(this=value, to=_data_type("text"))


def _charindex(node: exp.Anonymous) -> exp.Expr:
    part, text = _arguments(node, 2)
    return call("strpos", text, part)


def _avg(node: exp.Anonymous) -> exp.Expr:
    (value,) = _arguments(node, 1)
    return call(f"{FUNCTION_SCHEMA}.average", call("sum", value), call("count", value.copy()))


def _median(node: exp.Anonymous) -> exp.Expr:
    (value,) = _arguments(node, 1)
    order = exp.Order(expressions=[exp.Ordered(this=value)])
    return exp.WithinGroup(this=call("percentile_cont", exp.Literal.number("0.5")), expression=order)


def _listagg(node: exp.Anonymous) -> exp.Expr:
    arguments = node.expressions
    distinct = arguments[0] if arguments and isinstance(arguments[0], exp.Distinct) else None
    value, *delimiter = distinct.expressions if distinct else arguments
    text = _as_text(value)
    first = exp.Distinct(expressions=[text]) if distinct else text
    return call("string_agg", first, delimiter[0] if delimiter else exp.Literal.string(""))


def _rewrite_within_group(node: exp.WithinGroup) -> exp.Expr:
    aggregate = node.this
    if not isinstance(aggregate, exp.Anonymous) or aggregate.this != "string_agg":
        return node
    *values, delimiter = aggregate.expressions
    if isinstance(values[0], exp.Distinct):
        _order_by_argument(values[0].expressions[0], node.expression)
    ordered = exp.Order(this=delimiter, expressions=node.expression.expressions)
    return call("string_agg", *values, ordered)


def _order_by_argument(text: exp.Expr, order: exp.Expr) -> None:
    """With DISTINCT PostgreSQL orders by the argument itself only, which is the value as text."""
    for ordered in order.expressions:
        if ordered.this == text.this:
            ordered.set("this", text.copy())


def _rewrite_window(node: exp.Window) -> exp.Expr:
    check_window(node)
    if not isinstance(node.this, exp.Anonymous) or node.this.this != f"{FUNCTION_SCHEMA}.average":
        return node
    windows = []
    for aggregate in node.this.expressions:
        window = node.copy()
        window.set("this", aggregate.copy())
        windows.append(window)
    return call(node.this.this, *windows)


def _date_function(name: str, count: int) -> Callable[[exp.Anonymous], exp.Expr]:
    def rewrite(node: exp.Anonymous) -> exp.Expr:
        part, *rest = _arguments(node, count)
        return call(name, exp.Literal.string(_date_part(part)), *rest)

    return rewrite


def _date_part(part: exp.Expr) -> str:
    spelling = part.name.lower() if isinstance(part, (exp.Column, exp.Literal, exp.Var)) else ""
    if spelling not in DATE_PARTS:
        raise Refused(f'timestamp units "{spelling}" not recognized', "22023")
    return DATE_PARTS[spelling]


def _rewrite_extract(node: exp.Extract) -> exp.Expr:
    part = _date_part(node.this)
    if part == "second":
        # Whole seconds only, and the fraction's parts without the seconds.
        value: exp.Expr = call("floor", exp.Extract(this=exp.var(part), expression=node.expression))
    elif part in ("milliseconds", "microseconds"):
        unit = "1000" if part == "milliseconds" else "1000000"
        extracted = exp.Extract(this=exp.var(part), expression=node.expression)
        value = call("mod", call("floor", extracted), exp.Literal.number(unit))
    else:
        value = call("floor", exp.Extract(this=exp.var(part), expression=node.expression))
    return exp.Cast(this=value, to=_data_type("bigint" if part == "epoch" else "integer"))


def _rewrite_cast(node: exp.Cast) -> exp.Expr:
    to = node.to
    if isinstance(to, exp.DataType) and to.this == exp.DType.USERDEFINED and to.meta.get("postgres"):
        return node
    if not isinstance(to, exp.DataType) or to.this not in _DTYPE_NAMES:
        raise not_supported(f"type {to.sql().lower()}")
    numbers = tuple(part.this.name.lower() for part in to.expressions)
    wanted = make_type(_DTYPE_NAMES[to.this], numbers, in_column=False)
    value = node.this
    if wanted.is_text and wanted.length_bytes and not _fits(value, wanted.length_bytes):
        value = call(f"{FUNCTION_SCHEMA}.cut", value, exp.Literal.number(wanted.length_bytes))
    return exp.Cast(this=value, to=_data_type(wanted.sql))


def _fits(value: exp.Expr, length_bytes: int) -> bool:
    return isinstance(value, exp.Null) or (
        isinstance(value, exp.Literal) and value.is_string and len(value.name.encode()) <= length_bytes
    )


def _data_type(sql: str) -> exp.DataType:
    data_type = exp.DataType(this=exp.DType.USERDEFINED, kind=sql)
    data_type.meta["postgres"] = True
    return data_type


def _arguments(node: exp.Anonymous, count: int) -> list[exp.Expr]:
    if len(node.expressions) != count:
        raise _wrong_arguments(node)
    return list(node.expressions)


def _wrong_arguments(node: exp.Anonymous) -> Refused:
    return Refused(f"function {node.name.lower()} does not take {len(node.expressions)} arguments", "42883")


_REWRITES: dict[str, Callable[[exp.Anonymous], exp.Expr]] = {
    "nvl2": _nvl2,
    "nullif": _nullif,
    "current_setting": _current_setting,
    "decode": _decode,
    "concat": _concat,
    "charindex": _charindex,
    "avg": _avg,
    "median": _median,
    "listagg": _listagg,
    "dateadd": _date_function(f"{FUNCTION_SCHEMA}.dateadd", 3),
    "date_add": _date_function(f"{FUNCTION_SCHEMA}.dateadd", 3),
    "datediff": _date_function(f"{FUNCTION_SCHEMA}.datediff", 3),
    "date_diff": _date_function(f"{FUNCTION_SCHEMA}.datediff", 3),
    "date_part": _date_function("date_part", 2),
    "date_trunc": _date_function("date_trunc", 2),
}
