"""Columns that are text only because of words by which sources write NULL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from framework.model.load_warning import LoadWarning
from framework.model.measurements import ColumnProfile
from framework.model.words import share
from framework.plan.column_entry import column_entry
from framework.plan.fit import yaml_name
from framework.plan.infer_type import describe_kind, infer, settle_type
from framework.spec.pipeline import PipelineSpec


def null_marker_warnings(spec: PipelineSpec, profiles: Mapping[str, ColumnProfile]) -> Iterator[LoadWarning]:
    """Yield a warning for each new column that would be no text if its null markers were NULL."""
    for name, profile in profiles.items():
        values = replace(profile, values=profile.values - sum(profile.null_markers.values()))
        if not profile.null_markers or not values.values or name in spec.load.keys:
            continue
        found, wanted = (settle_type(name, each, spec.types.rules, is_key=False).type for each in (profile, values))
        if found.is_text and not wanted.is_text:
            counts = f"{share(values.values, profile.values, 'value')} are {describe_kind(infer(values))}"
            brief = f"{name} is text: {counts}, {_without_words(name, profile)}"
            message = brief
            if spec.bad_rows.log_samples:
                message = f"{name} is text: {counts}, {_with_words(spec, name, profile)}"
            yield LoadWarning("null-markers", name, message, brief=brief)


def _others(profile: ColumnProfile) -> tuple[int, str]:
    count = sum(profile.null_markers.values())
    return count, "the other is" if count == 1 else f"the other {count:,} are"


def _without_words(name: str, profile: ColumnProfile) -> str:
    """Return what the other values are, and the field that makes them NULL."""
    count, verb = _others(profile)
    words = "a word" if count == 1 else "words"
    return f"{verb} {words} by which files write NULL; list what means NULL in types.columns.{name}.null_values"


def _with_words(spec: PipelineSpec, name: str, profile: ColumnProfile) -> str:
    """Return the other values, and the entry that makes them NULL."""
    _, verb = _others(profile)
    markers = sorted(profile.null_markers, key=lambda text: (-profile.null_markers[text], text))
    quoted = " or ".join(filter(None, [", ".join(map(repr, markers[:-1])), repr(markers[-1])]))
    null_values = (*spec.types.notation_of(name).null_values, *markers)
    entry = f"{yaml_name(name)}: {column_entry(spec, name, null_values=null_values)}"
    return f"{verb} {quoted}; if that means NULL: types: {{columns: {{{entry}}}}}"
