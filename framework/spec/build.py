"""Turns a checked document, defaults filled in, into a PipelineSpec or an Environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any, Literal

from framework.model.column_type import ColumnType, parse_type
from framework.model.csv_options import CsvOptions
from framework.model.date_format import DateFormat
from framework.model.file_options import ExcelOptions, FixedField, FixedOptions, JsonOptions, ParquetOptions
from framework.model.modes import MODES
from framework.model.names import TableName
from framework.model.notation import Notation, NumberNotation
from framework.spec.checks.columns import parse_order_by
from framework.spec.checks.source import encoding_name, folder
from framework.spec.environment import (
    EmbeddedSettings,
    Environment,
    LakeSettings,
    NotifySettings,
    RetrySettings,
    SingleSubmissionSettings,
    WarehouseSettings,
)
from framework.spec.grants import read_grants
from framework.spec.pipeline import (
    DECIMAL_FIT,
    BadRowsSpec,
    ColumnsSpec,
    EvolutionPolicy,
    EvolutionSpec,
    ExpectSpec,
    LoadSpec,
    MetadataColumns,
    MissingPolicy,
    OrderBy,
    PipelineSpec,
    SourceSpec,
    TargetSpec,
    TypeRule,
    TypesSpec,
    ViewSpec,
    is_fit,
)
from framework.spec.webhook import Webhook

Fields = Mapping[str, Any]


_UNITS = "BKMGT"
_DEFAULT_MISSING = MissingPolicy("default", "keep", None)
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}


def build_pipeline(fields: Fields, default_rules: Sequence[Fields], path: str, sha256: str) -> PipelineSpec:
    """Return the spec that a document describes; the default rules follow its own."""
    load = _load(fields["load"])
    return PipelineSpec(
        pipeline=fields["pipeline"],
        path=path,
        sha256=sha256,
        description=fields["description"],
        owner=fields["owner"],
        tags=tuple(fields["tags"]),
        expect=_expect(fields["expect"], load),
        source=_source(fields["source"], load),
        target=_target(fields["target"]),
        load=load,
        columns=ColumnsSpec(dict(fields["columns"]["rename"]), tuple(fields["columns"]["exclude"])),
        metadata_columns=MetadataColumns(**fields["metadata_columns"]),
        types=_types(fields["types"], default_rules),
        evolution=_evolution(fields["evolution"]),
        bad_rows=_bad_rows(fields["bad_rows"]),
        views=tuple(_view(view) for view in fields["views"]),
        grants=tuple(read_grants(fields["grants"])),
        grants_exclusive=fields["grants_exclusive"],
    )


def build_environment(name: str, fields: Fields) -> Environment:
    """Return the environment that an entry of `environments.yml` describes."""
    retry = fields["retry"]
    return Environment(
        name=name,
        kind=fields["kind"],
        lake=LakeSettings(**fields["lake"]),
        warehouse=WarehouseSettings(**fields["warehouse"]),
        engine=fields["engine"],
        embedded=EmbeddedSettings(
            max_bytes=_size(fields["embedded"]["max_bytes"]),
            memory_bytes=_size(fields["embedded"]["memory"]),
            directory=fields["embedded"]["directory"],
        ),
        # JSON Schema takes 3.0 for a whole number, and 180 for any.
        retry=RetrySettings(int(retry["attempts"]), float(retry["delay_seconds"]), float(retry["backoff"])),
        single_submission=SingleSubmissionSettings(
            max_bytes=_size(fields["single_submission"]["max_bytes"]),
            copy_seconds=int(fields["single_submission"]["copy_seconds"]),
        ),
        parallel=int(fields["parallel"]),
        dead_after_seconds=int(fields["dead_after_seconds"]),
        max_attempts=int(fields["max_attempts"]),
        notify=_notify(fields["notify"]),
    )


def _notify(notify: Fields) -> NotifySettings:
    return NotifySettings(
        on=tuple(notify["on"]),
        webhook=_webhooks(notify["webhook"]),
        sns=notify["sns"],
        event_bus=notify["event_bus"],
        metrics_namespace=notify["metrics_namespace"],
    )


def _webhooks(written: Any) -> tuple[Webhook, ...]:
    entries = written if isinstance(written, list) else [] if written is None else [written]
    return tuple(Webhook(url=each) if isinstance(each, str) else Webhook(**each) for each in entries)


def _size(text: str) -> int:
    """Return the bytes of a size such as `1.5GB`, which the schema has accepted."""
    number, unit = text.removesuffix("B").strip(), ""
    if number[-1] in _UNITS:
        number, unit = number[:-1].strip(), number[-1]
    return int(float(number) * 1024 ** _UNITS.index(unit or "B"))


def _duration(text: str | None) -> timedelta | None:
    """Return the time of a text such as `6h`, which the schema has accepted."""
    return None if text is None else timedelta(minutes=int(text[:-1]) * _MINUTES[text[-1]])


def _source(source: Fields, load: LoadSpec) -> SourceSpec:
    options = source["options"]
    written = options["encoding"]
    encodings = [encoding_name(text) or text for text in ([written] if isinstance(written, str) else written)]
    lines = _lines(options)
    records, fields = options["records"], options["fields"] or {}
    most = source["max_unpacked"]
    return SourceSpec(
        prefix=folder(source["prefix"]),
        pattern=source["pattern"],
        ignore=tuple(source["ignore"]),
        members=source["members"],
        # Nothing else has fields.
        format="fixed" if fields and source["format"] == "auto" else source["format"],
        compression=source["compression"],
        max_unpacked_bytes=None if most is None else _size(most),
        encodings=tuple(encodings),
        csv=_csv_options(options, encodings[0], lines),
        json=JsonOptions(encodings[0], () if records is None else tuple(records.split(".")), options["nested"]),
        parquet=ParquetOptions(options["nested"]),
        excel=ExcelOptions(
            sheet=options["sheet"] if isinstance(options["sheet"], str) else int(options["sheet"]),
            range=(options["range"] or "").upper(),
            header=options["header"],
            names=tuple(options["names"] or ()),
            **lines,
        ),
        fixed=FixedOptions(
            fields=tuple(FixedField(name, int(first), int(last)) for name, (first, last) in fields.items()),
            encoding=encodings[0],
            **{name: value for name, value in lines.items() if name != "skip_until"},
        ),
        batch=source["batch"],
        order=source["order"],
        # Without order_by nothing but the order of loads keeps an old row from replacing a newer one.
        on_failure=source.get("on_failure") or ("stop" if load.mode.matches_keys and not load.order_by else "continue"),
    )


def _lines(options: Fields) -> dict[str, Any]:
    """Return which lines at a file's start and end are no records."""
    skipped, footer = options["skip_lines"], options["footer_lines"]
    return {
        # JSON Schema takes 3.0 for a whole number.
        "skip_lines": 0 if isinstance(skipped, dict) else int(skipped),
        "skip_until": skipped["until"] if isinstance(skipped, dict) else "",
        "footer_lines": 0 if isinstance(footer, dict) else int(footer),
        "footer_from": footer["from"] if isinstance(footer, dict) else "",
    }


def _csv_options(options: Fields, encoding: str, lines: dict[str, Any]) -> CsvOptions:
    return CsvOptions(
        delimiter=options["delimiter"],
        encoding=encoding,
        header=options["header"],
        names=tuple(options["names"] or ()),
        quoting=options["quoting"],
        quote=options["quote"] or '"',
        escape=options["escape"] or "",
        comment=options["comment"] or "",
        short_rows=options["short_rows"],
        long_rows=options["long_rows"],
        trim=options["trim"],
        **lines,
    )


def _target(target: Fields) -> TargetSpec:
    return TargetSpec(
        table=TableName(target["schema"], target["table"]),
        distkey=target["distkey"],
        sortkey=tuple(target["sortkey"]),
    )


def _load(load: Fields) -> LoadSpec:
    orders = [parse_order_by(text) for text in load["order_by"]]
    return LoadSpec(
        mode=MODES[load["mode"]],
        keys=tuple(load["keys"]),
        order_by=tuple(OrderBy(*order) for order in orders if order is not None),
        duplicates=load["duplicates"],
    )


def _types(types: Fields, default_rules: Sequence[Fields]) -> TypesSpec:
    rules = [*types["rules"], *(rule for rule in default_rules if rule not in types["rules"])]
    columns = {name: {"type": own} if isinstance(own, str) else own for name, own in types["columns"].items()}
    return TypesSpec(
        columns={name: parse_type(own["type"]) for name, own in columns.items() if own.get("type") is not None},
        rules=tuple(_rule(rule) for rule in rules),
        notation=_notation(types["parse"]),
        notations={name: _notation({**types["parse"], **own}) for name, own in columns.items()},
    )


def _notation(parse: Fields) -> Notation:
    return Notation(
        null_values=tuple(parse["null_values"]),
        numbers=NumberNotation(
            decimal=parse["decimal"],
            thousands=parse["thousands"],
            negatives=tuple(parse["negatives"]),
            currency=() if parse["percent"] else tuple(parse["currency"]),
            percent=parse["percent"],
        ),
        booleans=tuple((true, false) for true, false in parse["booleans"]),
        formats=tuple(DateFormat(pattern, parse["locale"]) for pattern in parse["formats"]),
    )


def _rule(rule: Fields) -> TypeRule:
    key = True if rule["only"] else False if rule["unless"] else None
    return TypeRule(name=rule["name"], inferred=rule["inferred"], key=key, type=_rule_type(rule["type"]))


def _rule_type(text: str) -> ColumnType | Literal["decimal(fit)"]:
    return DECIMAL_FIT if is_fit(text) else parse_type(text)


def _evolution(evolution: Fields) -> EvolutionSpec:
    of_table_only = ("columns", "rewrite_up_to_rows")
    table = EvolutionPolicy(**_policy(evolution, "table", _DEFAULT_MISSING, of_table_only))
    columns = {
        name: EvolutionPolicy(**{**vars(table), **_policy(own, "column", table.missing_columns)})
        for name, own in evolution["columns"].items()
    }
    return EvolutionSpec(**vars(table), columns=columns, rewrite_up_to_rows=evolution["rewrite_up_to_rows"])


def _policy(
    fields: Fields, written_for: Literal["table", "column"], inherited: MissingPolicy, left_out: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the fields of a policy, with its treatment of missing columns as a value."""
    missing = _missing(fields["missing_columns"], written_for) if "missing_columns" in fields else inherited
    return {name: value for name, value in fields.items() if name not in left_out} | {"missing_columns": missing}


def _expect(expect: Fields, load: LoadSpec) -> ExpectSpec:
    least = expect["min_rows"]
    if least is None:
        least = load.mode.fewest_rows
    # As it is written: the float of 0.1 is a little more than a tenth.
    shrink = Fraction(str(expect["max_shrink"]))
    return ExpectSpec(_duration(expect["every"]), int(least), shrink, expect["last_line_end"])


def _missing(written: str | Fields | None, written_for: Literal["table", "column"]) -> MissingPolicy:
    # The word null without quotes is no text in YAML, and people will write it so.
    if isinstance(written, Mapping):
        return MissingPolicy(written["new_rows"] or "null", written["stored_rows"], written_for)
    if written == "reject":
        return MissingPolicy("reject", "reject", written_for)
    return MissingPolicy("null", "overwrite", written_for)


def _bad_rows(bad_rows: Fields) -> BadRowsSpec:
    rows = bad_rows["max_rows"]
    # JSON Schema takes 3.0 for a whole number.
    return BadRowsSpec(**{**bad_rows, "max_rows": None if rows is None else int(rows)})


def _view(view: Fields) -> ViewSpec:
    return ViewSpec(
        view=TableName(view["schema"], view["name"]),
        definition=view["definition"],
        late_binding=view["late_binding"],
        grants=tuple(read_grants(view["grants"])),
    )
