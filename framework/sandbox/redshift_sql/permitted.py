"""What may stand in a query; everything else is refused by name."""

from __future__ import annotations

import re

from sqlglot import exp

from framework.sandbox.redshift_sql.refusal import Refused, not_supported, syntax_error
from framework.sandbox.redshift_sql.reserved import RESERVED_WORDS
from framework.sandbox.redshift_sql.word_set import word_set

_WHOLE: frozenset[type[exp.Expr]] = frozenset(
    (
        *(
            exp.Add,
            exp.Sub,
            exp.Mul,
            exp.Div,
            exp.Mod,
            exp.Neg,
            exp.DPipe,
            exp.BitwiseAnd,
            exp.BitwiseOr,
            exp.BitwiseNot,
        ),
        *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Is, exp.Null, exp.Boolean),
        *(exp.Like, exp.ILike, exp.SimilarTo, exp.Escape, exp.RegexpLike, exp.RegexpILike, exp.Exists),
        *(exp.Paren, exp.Tuple, exp.Case, exp.If, exp.Literal, exp.Var, exp.Cast, exp.Interval, exp.AtTimeZone),
        *(
            exp.Extract,
            exp.Substring,
            exp.Trim,
            exp.StrPosition,
            exp.Anonymous,
            exp.WithinGroup,
            exp.Having,
            exp.Qualify,
        ),
        *(exp.CurrentDate, exp.CurrentTimestamp, exp.CurrentUser, exp.SessionUser, exp.DataType, exp.DataTypeParam),
        *(exp.Identifier, exp.Alias, exp.Where, exp.Order, exp.Ordered, exp.WindowSpec, exp.Offset, exp.From),
        *(exp.IntervalSpan, exp.Schema, exp.CurrentCatalog, exp.CurrentSchema, exp.Distinct),
    )
)
_PARTS: dict[type[exp.Expr], set[str]] = {
    exp.Select: {
        *("expressions", "distinct", "from_", "joins", "where", "group", "having", "order", "limit", "offset"),
        *("with_", "qualify"),
    },
    exp.Subquery: {"this", "alias", "with_", "joins"},
    exp.Union: {"this", "expression", "distinct", "with_", "order", "limit", "offset"},
    exp.Except: {"this", "expression", "distinct", "with_", "order", "limit", "offset"},
    exp.Intersect: {"this", "expression", "distinct", "with_", "order", "limit", "offset"},
    exp.With: {"expressions", "recursive"},
    exp.CTE: {"this", "alias"},
    exp.TableAlias: {"this", "columns"},
    exp.Table: {"this", "db", "alias", "joins"},
    exp.Join: {"this", "on", "side", "kind", "using"},
    exp.Group: {"expressions"},
    exp.Limit: {"expression"},
    exp.Column: {"this", "table", "db"},
    exp.Star: set(),
    exp.Between: {"this", "low", "high"},
    exp.In: {"this", "expressions", "query"},
    exp.Window: {"this", "partition_by", "order", "spec", "over"},
    exp.Insert: {"this", "expression"},
    exp.Delete: {"this", "using", "where"},
    exp.Update: {"this", "expressions", "from_", "where"},
    exp.Values: {"expressions"},
}
_NAMES = {
    exp.NullSafeEQ: "IS DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
    exp.Filter: "FILTER",
    exp.Array: "ARRAY",
    exp.Bracket: "An array",
    exp.Placeholder: "A parameter",
    exp.Parameter: "A parameter",
    exp.Dot: "Navigation into a value, or a function with a schema,",
    exp.ByteString: "A string with a letter before it",
    exp.National: "A string with a letter before it",
    exp.TryCast: "TRY_CAST",
    exp.Aliases: "ROLLUP",
}
_PART_NAMES: dict[tuple[type[exp.Expr], str], str] = {
    (exp.Table, "catalog"): "A name with a database",
    (exp.Column, "catalog"): "A name with a database",
    (exp.Select, "locks"): "FOR UPDATE",
    (exp.Select, "into"): "SELECT INTO",
    (exp.Select, "windows"): "WINDOW",
    (exp.Select, "laterals"): "LATERAL",
    (exp.Join, "method"): "NATURAL JOIN",
    (exp.Star, "except_"): "SELECT * EXCLUDE",
    (exp.Insert, "conflict"): "ON CONFLICT",
    (exp.Insert, "returning"): "RETURNING",
    (exp.Update, "returning"): "RETURNING",
    (exp.Delete, "returning"): "RETURNING",
}


def check_permitted(tree: exp.Expr) -> None:
    """Refuse a tree that holds anything but what is known to mean the same on both sides.

    Raises:
        Refused: by the name of what it holds.
    """
    for node in tree.walk():
        parts = _PARTS.get(type(node))
        if parts is None and type(node) not in _WHOLE:
            raise not_supported(_NAMES.get(type(node), _words(type(node).__name__)))
        for part in _parts(node) - parts if parts is not None else ():
            raise not_supported(_PART_NAMES.get((type(node), part), f"{_words(type(node).__name__)} {_words(part)}"))
        _check_node(node)


def _parts(node: exp.Expr) -> set[str]:
    return {name for name, value in node.args.items() if value not in (None, False, [])}


def _check_node(node: exp.Expr) -> None:
    match node:
        case exp.Distinct() if node.args.get("on"):
            raise not_supported("DISTINCT ON")
        case exp.Subquery() if isinstance(node.this, exp.Table):
            raise not_supported("A table or join in parentheses")
        case exp.Values() if not isinstance(node.parent, exp.Insert):
            raise not_supported("VALUES as a table")
        case exp.Column() if not node.args.get("table"):
            _check_word(node.this)
        case exp.Table():
            _check_word(node.args.get("db") or node.this)
            if isinstance(node.this, exp.Anonymous):
                raise not_supported(f"function {node.this.name} as a table")
        case exp.CurrentTimestamp() if node.this is not None:
            raise not_supported("CURRENT_TIMESTAMP with a precision")
        case exp.Ordered() if node.args.get("with_fill"):
            raise not_supported("WITH FILL")


def _check_word(name: exp.Expr) -> None:
    if isinstance(name, exp.Identifier) and not name.args.get("quoted") and name.name.lower() in RESERVED_WORDS:
        raise syntax_error(name.name)


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name).strip().upper()


def check_window(window: exp.Window) -> None:
    """Refuse an aggregate over an ordered window without a frame.

    Source: https://docs.aws.amazon.com/redshift/latest/dg/r_Window_function_synopsis.html
    """
    if window.args.get("order") and not window.args.get("spec") and window.this.name.lower() in FRAMED_FUNCTIONS:
        raise Refused("Aggregate window functions with an ORDER BY clause require a frame clause")


FRAMED_FUNCTIONS = word_set(
    """
    pg_internal.average count max min sum stddev stddev_samp stddev_pop variance var_samp var_pop
    first_value last_value nth_value
    """
)
