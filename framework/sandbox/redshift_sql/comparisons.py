"""Comparisons that ignore trailing blanks, as Redshift compares CHAR and VARCHAR.

Both sides go through `comparable`, which PostgreSQL inlines: text becomes BPCHAR without a copy, whose
own comparison ignores trailing blanks and hashes; everything else stays what it is.

Source: https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
"""

from __future__ import annotations

from sqlglot import exp

from framework.sandbox.redshift_sql.functions import FUNCTION_SCHEMA, call

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


def ignore_trailing_blanks(tree: exp.Expr) -> exp.Expr:
    """Return the tree with both sides of every comparison made comparable."""
    for node in list(tree.walk()):
        match node:
            case exp.EQ() if isinstance(node.parent, exp.Update):
                continue
            case exp.EQ() | exp.NEQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
                node.set("this", _typed(node.this, [node.expression]))
                node.set("expression", _comparable(node.expression))
            case exp.Between():
                node.set("this", _typed(node.this, [node.args["low"], node.args["high"]]))
                for side in ("low", "high"):
                    node.set(side, _comparable(node.args[side]))
            case exp.In():
                _compare_members(node)
            case exp.Window():
                node.set("partition_by", [_comparable(value) for value in node.args.get("partition_by") or ()])
            case exp.Case() if node.this is not None:
                _compare_cases(node)
            case exp.Anonymous() if node.name.lower() == "count":
                _count_distinct(node)
    return tree


def _compare_members(node: exp.In) -> None:
    query = node.args.get("query")
    node.set("this", _typed(node.this, node.expressions))
    if query is None:
        node.set("expressions", [_comparable(value) for value in node.expressions])
        return
    width = len(node.this.expressions) if isinstance(node.this, exp.Tuple) else 1
    names = [f"c{number}" for number in range(1, width + 1)]
    alias = exp.TableAlias(this=exp.to_identifier("members"), columns=[exp.to_identifier(name) for name in names])
    inner = query.this if isinstance(query, exp.Subquery) else query
    members = exp.Subquery(this=inner, alias=alias)
    columns = [call(f"{FUNCTION_SCHEMA}.comparable", exp.column(name, table="members")) for name in names]
    node.set("query", exp.Subquery(this=exp.Select(expressions=columns, from_=exp.From(this=members))))


def _compare_cases(node: exp.Case) -> None:
    node.set("this", _typed(node.this, [branch.this for branch in node.args["ifs"]]))
    for branch in node.args["ifs"]:
        branch.set("this", _comparable(branch.this))


def _count_distinct(node: exp.Anonymous) -> None:
    for argument in node.expressions:
        if isinstance(argument, exp.Distinct) and len(argument.expressions) == 1:
            argument.set("expressions", [_comparable(argument.expressions[0])])


def _typed(value: exp.Expr, others: list[exp.Expr]) -> exp.Expr:
    """Return what is compared, comparable. Where all are literals, one must have a type of its own."""
    if value.is_string and all(other.is_string for other in others):
        return _comparable(exp.Cast(this=value, to=exp.DataType(this=exp.DType.USERDEFINED, kind="varchar")))
    return _comparable(value)


def _comparable(value: exp.Expr) -> exp.Expr:
    """A literal is left alone: it takes the type of what it is compared with."""
    match value:
        case exp.Tuple():
            return exp.Tuple(expressions=[_comparable(member) for member in value.expressions])
        case exp.Literal() | exp.Null() | exp.Boolean() | exp.Neg() | exp.Star() | exp.Interval():
            return value
        case exp.Paren():
            value.set("this", _comparable(value.this))
            return value
        case _:
            return call(f"{FUNCTION_SCHEMA}.comparable", value)
