"""The report in a browser: people click and type through it, nothing leaves the machine, and axe has no finding.

`make test-report` runs this with Chromium, and takes the screenshots of docs/.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from framework.cli.report_folder import Contents, write_pages
from framework.report.pages import INDEX, page_name, pages_of
from tests.report_site import site

DESKTOP = {"viewport": {"width": 1120, "height": 700}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 780}, "color_scheme": "dark", "has_touch": True, "is_mobile": True}
PAGES = [INDEX, *(page_name(feed.name) for feed in site().feeds)]
MOST_BYTES = 150_000
"""Of a screenshot."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    program = shutil.which("chromium")
    assert program, "make test-report needs Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        # In a container Chromium's own sandbox finds no user namespaces.
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the report."""
    path = tmp_path_factory.mktemp("report")
    write_pages(path, pages_of(site()), Contents("prod", ""))
    return path


@dataclass
class Visit:
    """A tab, with what it has asked for and complained of."""

    tab: Any
    folder: Path

    def __post_init__(self) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.tab.context.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("console", lambda message: self.complaints.append(message.text))
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, page: str) -> None:
        self.tab.goto((self.folder / page).as_uri())

    def focused(self) -> str:
        return str(self.tab.evaluate("document.activeElement.textContent"))

    def check_that_nothing_left(self) -> None:
        own = self.folder.as_uri()
        assert self.requests
        assert [url for url in self.requests if not url.startswith((own, "data:"))] == []
        assert self.complaints == []


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def visit(browser: Any, folder: Path, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """A visit of the report; at its end nothing may have left the machine."""
    context = browser.new_context(**request.param)
    visited = Visit(context.new_page(), folder)
    yield visited
    visited.check_that_nothing_left()
    context.close()


def test_every_feed_is_a_click_away_and_so_is_the_way_home(visit: Visit) -> None:
    visit.open(INDEX)
    names = visit.tab.locator("#feeds tbody a").all_inner_texts()
    assert len(names) == len(site().feeds)
    for name in names:
        visit.tab.get_by_role("link", name=name, exact=True).click()
        assert visit.tab.locator("h1").inner_text() == name
        for section in visit.tab.locator("nav a").all()[1:]:
            section.click()
        visit.tab.get_by_role("link", name="All feeds").click()
        assert visit.tab.locator("h1").inner_text() == "Feeds of prod"


@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing(visit: Visit, page: str) -> None:
    axe = Path(os.environ["AXE"]).read_text(encoding="utf-8")
    visit.open(page)
    for details in visit.tab.locator("summary").all():
        details.click()
    visit.tab.evaluate(axe)
    found = visit.tab.evaluate("axe.run()")

    assert len(found["passes"]) > 10
    shown = [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]]
    assert shown == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_no_wider_than_the_screen(visit: Visit, page: str) -> None:
    visit.open(page)

    root = "document.documentElement"
    assert visit.tab.evaluate(f"{root}.scrollWidth") <= visit.tab.evaluate(f"{root}.clientWidth")


def test_the_list_of_feeds_fits_a_laptop_and_says_on_a_phone_that_it_scrolls(browser: Any, folder: Path) -> None:
    box = "document.querySelector('#feeds').parentElement"
    for width, is_hidden in ((1280, False), (360, True)):
        with browser.new_context(viewport={"width": width, "height": 700}) as context:
            tab = context.new_page()
            tab.goto((folder / INDEX).as_uri())
            assert tab.evaluate(f"{box}.scrollWidth > {box}.clientWidth") is is_hidden
            assert tab.locator(".hint").is_visible() is is_hidden


def test_the_keyboard_alone_is_enough(visit: Visit) -> None:
    visit.open(INDEX)
    visit.tab.keyboard.press("Tab")
    assert visit.focused() == "Skip to the content"
    visit.tab.keyboard.press("Enter")
    assert visit.tab.url.endswith("#content")
    visit.tab.keyboard.press("Tab")
    visit.tab.keyboard.type("SALES on")
    assert visit.tab.locator("#feeds tbody tr:visible a").all_inner_texts() == ["orders"]
    assert visit.tab.locator("#found").inner_text() == "1 of 8 shown"
    visit.tab.keyboard.press("Tab")
    visit.tab.keyboard.press("Tab")
    assert visit.focused() == "orders"
    visit.tab.keyboard.press("Enter")
    visit.tab.wait_for_url("**/feed-orders.html")
    visit.tab.locator("summary").focus()
    visit.tab.keyboard.press("Enter")
    assert visit.tab.get_by_role("region", name="Numbers of the charts").is_visible()


def test_without_scripts_all_feeds_are_there_and_no_filter_is(browser: Any, folder: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        tab = context.new_page()
        tab.goto((folder / INDEX).as_uri())
        assert tab.locator("#feeds tbody tr:visible").count() == len(site().feeds)
        assert not tab.locator("#filter").is_visible()


@pytest.mark.parametrize(
    ("name", "page", "options", "height"),
    [
        ("report-feeds", INDEX, DESKTOP, 440),
        ("report-feed", "feed-orders.html", DESKTOP, 700),
        ("report-feed-phone", "feed-orders.html", PHONE, 780),
    ],
)
def test_screenshots(browser: Any, folder: Path, name: str, page: str, options: dict[str, Any], height: int) -> None:
    target = Path(os.environ["SCREENSHOTS"], f"{name}.png")
    with browser.new_context(**options) as context:
        tab = context.new_page()
        tab.goto((folder / page).as_uri())
        clip = {"x": 0, "y": 0, "width": options["viewport"]["width"], "height": height}
        tab.screenshot(path=target, clip=clip)

    assert target.stat().st_size < MOST_BYTES
