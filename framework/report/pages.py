"""The pages of a report: one of all feeds, and one of each. They need no network, no server and no script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from framework import resources
from framework.dataclass import dataclass
from framework.model.program import Program
from framework.model.words import counted, size, visible
from framework.plan.schema_changes import CREATED
from framework.report.charts import Bars, charts_of, load_time_text, period_text, sparkline
from framework.report.site import MOST_NOTED, Change, FeedReport, Site
from framework.report.standing import Standing, standing_of

INDEX = "index.html"
_TONES = ("bad", "warn", "plain", "good")
_FOLDER = "templates/html"
_BLANKS = re.compile(r"\s*([{};:,])\s*")
"""Blanks of CSS that mean nothing; one before the colon of a pseudo-class would, and the style has none."""
_PLAIN_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,99}")
"""What a spec may be named: a safe name of a file, on a file system that ignores case too."""


@dataclass(frozen=True)
class FeedEntry:
    """A feed with the name of its page, its standing and its bars for the list of feeds."""

    feed: FeedReport
    page: str
    standing: Standing
    spark: Bars | None
    spark_text: str


def pages_of(site: Site) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each page, the index last."""
    entries = [_entry(feed, site.made) for feed in site.feeds]
    for entry in entries:
        history, created = _histories(entry.feed), _created(entry.feed)
        yield entry.page, _rendered("feed", site, entry=entry, feed=entry.feed, histories=history, created=created)
    entries.sort(key=lambda entry: (_TONES.index(entry.standing.tone), entry.feed.name))
    counts = [(tone, sum(entry.standing.tone == tone for entry in entries)) for tone in _TONES]
    yield INDEX, _rendered("index", site, entries=entries, counts=dict(counts))


def page_name(feed: str) -> str:
    """Return the name of a feed's page; one that no spec could have is written as a hash.

    It never is one that Windows reserves, such as `con.html`.
    """
    if _PLAIN_NAME.fullmatch(feed):
        return f"feed-{feed}.html"
    return f"feed-~{hashlib.sha256(feed.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}.html"


def _entry(feed: FeedReport, made: datetime) -> FeedEntry:
    return FeedEntry(feed, page_name(feed.name), standing_of(feed), *sparkline(feed.past.periods, made))


def _histories(feed: FeedReport) -> dict[str, list[Change]]:
    """Return the changes of each column, oldest first."""
    histories: dict[str, list[Change]] = {}
    for change in reversed(feed.past.changes):
        if change.column is not None:
            histories.setdefault(change.column, []).append(change)
    return histories


def _created(feed: FeedReport) -> datetime | None:
    return next((change.changed for change in feed.past.changes if change.kind == CREATED), None)


def _rendered(template: str, site: Site, **values: object) -> str:
    command = Program(("--env", site.environment)).command
    return _environment().get_template(f"{template}.html.j2").render(site=site, command=command, **values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(lambda name: resources.read_text(f"{_FOLDER}/{name}")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(
        time=_time, bytes=size, took=_took, number="{:,}".format, words=_words, period=period_text
    )
    # Every page has the style: of many feeds its blanks would be a hundredth of the report.
    style = _BLANKS.sub(r"\1", resources.read_text(f"{_FOLDER}/report.css"))
    script = resources.read_text(f"{_FOLDER}/filter.js")
    environment.globals.update(
        style=Markup(style),
        script=Markup(script),
        style_hash=_source_hash(style),
        script_hash=_source_hash(script),
        counted=counted,
        charts_of=charts_of,
        MOST_NOTED=MOST_NOTED,
    )
    return environment


def _shown(value: object) -> object:
    """Return a value as a page has it: None is nothing, and what does not print is written as Python's escapes."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return value if value.isprintable() else "\n".join(visible(line) for line in value.split("\n"))
    return value


def _source_hash(text: str) -> str:
    """Return the source of a content security policy that allows this text alone."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _time(moment: datetime | None) -> str:
    return "" if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def _took(seconds: float | None) -> str:
    return "" if seconds is None else load_time_text(seconds)


def _words(kind: str) -> str:
    """Return the kind of a change as words."""
    return kind.replace("_", " ")
