"""The pages of a report, read as HTML: nothing is fetched, texts stay texts, tables and charts are accessible."""

from __future__ import annotations

import dataclasses
import re
import shlex
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from framework.load.status.attention import Attention
from framework.report.pages import INDEX, page_name, pages_of
from framework.report.site import Past, Period, Site
from tests.html_page import Page
from tests.report_site import MADE, orders, site

HOSTILE = "</pre><script>alert(1)</script>\"'&\u202e{{ 7*7 }}"
CSS = Path(__file__).parents[3] / "templates" / "html" / "report.css"


@cache
def pages() -> dict[str, Page]:
    return {name: Page(text) for name, text in pages_of(site())}


def hostile(value: Any) -> Any:
    """Return a value with a hostile text in place of each of its texts that may be anything."""
    if dataclasses.is_dataclass(value):
        kept = {"unit", "kind"} if isinstance(value, Attention) else {"unit"}
        fields = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        changed = {name: each if name in kept else hostile(each) for name, each in fields.items()}
        return replace(value, **changed)  # type: ignore[type-var]
    if isinstance(value, tuple):
        return tuple(map(hostile, value))
    return HOSTILE if isinstance(value, str) else value


def test_there_is_a_page_of_each_feed_and_every_link_leads_somewhere() -> None:
    found = pages()
    assert set(found) == {INDEX, *(page_name(feed.name) for feed in site().feeds)}
    linked = {link.attributes["href"] for link in found[INDEX].all("a")} - {"#content"}
    assert linked == set(found) - {INDEX}
    for page in found.values():
        ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
        assert len(ids) == len(set(ids))
        for link in page.all("a"):
            file, _, anchor = str(link.attributes["href"]).partition("#")
            assert file in ("", *found)
            assert not anchor or anchor in ids


def test_pages_fetch_nothing_and_allow_only_their_own_style_and_script() -> None:
    for page in pages().values():
        assert not [each for each in page.elements if {"src", "srcset", "style", "action"} & set(each.attributes)]
        assert not [name for each in page.elements for name in each.attributes if name.startswith("on")]
        assert [link.attributes["href"] for link in page.all("link")] == ["data:,"]
        assert "url(" not in page.source
        assert "@import" not in page.source
        policy = str(page.all("meta")[1].attributes["content"])
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert not page.all("img", "iframe", "object", "embed", "form", "base")


def test_no_text_becomes_markup() -> None:
    changed: Site = hostile(site())
    for name, text in pages_of(changed):
        page = Page(text)
        scripts = page.all("script")
        assert len(scripts) == (1 if name == INDEX else 0)
        assert "alert(1)" not in "".join(script.text for script in scripts)
        assert "\u202e" not in text
        assert "{{ 7*7 }}" in page.all("main")[0].text
        assert "49" not in page.all("h1")[0].text


def test_a_column_may_be_called_script() -> None:
    feed = replace(orders(), columns=(("<script>", "bigint"),))
    (text, _) = [text for _, text in pages_of(Site("prod", MADE, "1", None, (feed,)))]

    assert "<script>" in [cell.own for cell in Page(text).all("th")]
    assert not Page(text).all("script")


@pytest.mark.parametrize("name", [INDEX, "feed-orders.html", "feed-new_feed.html", "feed-returns.html"])
def test_headings_tables_and_charts_are_for_screen_readers_and_keyboards_too(name: str) -> None:
    page = pages()[name]
    levels = [int(each.tag[1]) for each in page.all("h1", "h2", "h3")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip([0, *levels], levels, strict=False))
    assert all(each.attributes.get("scope") in ("col", "row") for each in page.all("th"))
    assert all(each.attributes.get("lang") == "en" for each in page.all("html"))
    for box in page.with_class("scroll"):
        assert box.attributes["tabindex"] == "0"
        assert box.attributes["role"] == "region"
        assert box.attributes["aria-label"]
    assert all("scroll" in str(each.attributes.get("class")) for each in page.all("pre"))
    for chart in page.all("svg"):
        assert chart.attributes["role"] == "img"
        assert chart.attributes.get("aria-label") or chart.attributes.get("aria-labelledby")


def test_a_status_is_words_and_feeds_that_need_action_come_first() -> None:
    index = pages()[INDEX]
    feeds = [link.text for link in index.all("a")][1:]
    words = [each.text for each in index.with_class("tone")][4:]

    assert dict(zip(feeds, words, strict=True)) == {
        "invoices": "late",
        "new_feed": "late",
        "prices": "files set aside, late",
        "returns": "spec has problems",
        "stock": "files set aside",
        "customers": "bad rows in quarantine",
        "legacy": "no spec any more",
        "orders": "on time",
    }
    assert feeds == ["invoices", "new_feed", "prices", "returns", "stock", "customers", "legacy", "orders"]


def test_a_page_shows_what_needs_attention_and_the_command_that_continues() -> None:
    text = pages()["feed-prices.html"].all("main")[0].text

    assert "1 of 9 values of price is not a decimal" in text
    assert "s3://acme-lake/data/unprocessed/prices_9.csv, and 2 more files" in text
    assert "Have a correct file sent." in text
    assert "feedway run stock" in text


def test_each_column_has_its_history() -> None:
    source = pages()["feed-orders.html"].source

    assert "2026-01-23 02:10 rewrite column, integer became bigint: the value 3000000000" in source
    assert "2026-02-21 02:10 add column varchar(256): all values are text" in source
    assert source.count("since the table was created, 2026-01-11 02:10") == 2


def test_what_is_left_out_is_counted() -> None:
    base = orders()
    feed = replace(base, past=replace(base.past, loads=base.past.loads[:10], number_of_loads=1000))
    (text, _) = [text for _, text in pages_of(Site("prod", MADE, "1", None, (feed,)))]

    assert "The latest 10 of 1,000, one row per load and file." in text
    assert "feedway --env prod history orders --rows 1000" in text


def test_a_command_of_a_page_runs_no_other_in_a_shell() -> None:
    past = replace(orders().past, number_of_loads=1000, number_of_changes=1000)
    codes = Page(page(name="a; $(reboot)", past=past)).all("code")
    lines = [shlex.split(code.text) for code in codes if code.text.startswith("feedway ")]

    assert [line[3:5] for line in lines] == [["history", "a; $(reboot)"], ["changes", "a; $(reboot)"]]


def test_a_report_of_nothing_says_so_in_words() -> None:
    ((name, text),) = pages_of(Site("prod", MADE, "1", None, ()))
    empty = replace(orders(), past=Past(), columns=())
    (page, _) = [text for _, text in pages_of(Site("prod", MADE, "1", None, (empty,)))]

    assert name == INDEX
    assert "The project has no feed, and no load is recorded." in text
    assert not Page(page).all("svg")
    for words in (
        "No load is recorded",
        "No load is recorded that quarantined rows",
        "No change is recorded",
        "with a warning",
    ):
        assert words in page


def page(**changes: Any) -> str:
    """Return the page of a feed that differs from the usual one."""
    made = Site("prod", MADE, "1", None, (replace(orders(), **changes),))
    return next(text for name, text in pages_of(made) if name != INDEX)


def test_a_page_claims_no_more_than_what_was_read() -> None:
    past = orders().past
    cut = page(past=replace(past, changes=past.changes[:1], number_of_changes=101))
    (later, _) = [text for _, text in pages_of(Site("prod", MADE, "1", MADE, (replace(orders(), past=Past()),)))]

    assert "none of the latest 1 change" in cut
    assert "no change is recorded" not in cut
    for words in ("No load is recorded", "No change is recorded", "that quarantined rows", "with a warning"):
        assert f"{words} since 2026-03-02 06:30." in later
    for problem, why in (("x.yml:3", "the spec has problems"), ("", "the project has no spec of this feed any more")):
        unusable = page(described=None, problem=problem, columns=(), quarantine="")
        assert unusable.count(f"<p>Not read: {why}.</p>") == 2
        assert "may not be read" not in unusable


def test_the_place_of_quarantined_rows_is_shown_where_there_are_some() -> None:
    past = orders().past
    refused = replace(past, rejects=tuple(replace(load, status="FAILED") for load in past.rejects))

    assert "s3://acme-lake/data/quarantine/orders/" in page()
    assert "s3://acme-lake/data/quarantine/orders/" not in page(past=refused)


def test_a_load_that_succeeded_is_not_among_those_that_failed() -> None:
    past, bad_rows = orders().past, "bad rows: 2, in s3://acme-lake/data/quarantine/orders/2026/01/1/"
    loaded = tuple(replace(load, message=bad_rows) for load in past.loads if load.status == "SUCCESS")

    assert "Why loads failed or were skipped" in page()
    assert "Why loads failed or were skipped" not in page(past=replace(past, loads=loaded))


def test_the_summary_counts_every_feed() -> None:
    (items,) = [each.text for each in pages()[INDEX].all("ul")]
    total, *parts = map(int, re.findall("[0-9]+", items))

    assert total == sum(parts) == len(site().feeds)


def test_names_of_pages_are_safe_on_every_file_system() -> None:
    names = ["orders", "con", "Orders", "a/b", "../x", "a\\b", "", "ä", "\ud800", "x" * 300, "-a", "a.b"]
    made = [page_name(name) for name in names]

    assert made[:2] == ["feed-orders.html", "feed-con.html"]
    assert all(re.fullmatch(r"feed-[a-z0-9_~-]{1,110}\.html", name) for name in made)
    assert len({name.lower() for name in made}) == len(names)


def test_a_page_of_a_thousand_loads_stays_small() -> None:
    base = orders()
    loads = (base.past.loads * 3)[:100]
    periods = tuple(replace(base.past.periods[0], began=base.past.periods[0].began.replace(hour=h)) for h in range(24))
    feed = replace(base, past=replace(base.past, loads=loads, number_of_loads=1000, periods=periods))
    (text, _) = [text for _, text in pages_of(Site("prod", MADE, "1", None, (feed,)))]

    assert len(text.encode()) < 40_000


def colors(block: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))


def contrast(one: str, other: str) -> float:
    """Source: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    lights = []
    for color in (one, other):
        channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
        lights.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(lights) + 0.05) / (min(lights) + 0.05)


def test_colors_are_readable_in_light_and_in_dark_mode() -> None:
    light, dark = CSS.read_text(encoding="utf-8").split("@media", 1)
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    for scheme in (colors(light), colors(dark)):
        assert len(scheme) == 11
        for name in ("text", "quiet", "link", "bad", "warn", "good", "plain"):
            assert contrast(scheme[name], scheme["back"]) >= 4.5, name
            assert contrast(scheme[name], scheme["box"]) >= 4.5, name
        assert contrast(scheme["bar"], scheme["back"]) >= 3


def test_a_period_of_every_unit_is_shown() -> None:
    for unit, words in (("hour", "2026-03-02 06:00"), ("week", "week of 2026-03-02"), ("year", "2026")):
        feed = replace(orders(), past=Past(periods=(Period(unit, MADE, 1, 5, 1, 1),)))  # type: ignore[arg-type]
        (text, _) = [text for _, text in pages_of(Site("prod", MADE, "1", None, (feed,)))]
        assert words in [cell.own for cell in Page(text).all("th")]
