"""Whether a file looks like its feed: whatever it is advised, it fits then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from framework.model.csv_options import DELIMITERS, CsvOptions
from framework.rows.formats.csv.shape import FileStart, find_misfit
from framework.spec.load import load_pipeline_text
from framework.spec.pipeline import ColumnsSpec

COMMA = CsvOptions(",", "utf-8")
CELLS = st.text(st.sampled_from("ab1205.,;|\t- :#="), max_size=6)
LINES = st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=8)


def start(
    text: str,
    options: CsvOptions = COMMA,
    expected: tuple[str, ...] | None = None,
    needed: tuple[str, ...] = (),
) -> FileStart:
    return FileStart(text, True, options, ColumnsSpec({}, ()), expected, needed)


def options_of(written: str, needed: tuple[str, ...] = ()) -> CsvOptions:
    """Read options as a spec has them; validate must accept them."""
    source = {"prefix": "in/"} | yaml.safe_load(written)["source"]
    load = {"keys": list(needed)} if needed else {"mode": "append"}
    document = {"pipeline": "p", "source": source, "target": {"table": "t"}, "load": load}
    return load_pipeline_text(yaml.safe_dump(document), "p.yml", "p").source.csv


@settings(deadline=None)
@given(
    lines=LINES,
    delimiter=st.sampled_from(DELIMITERS),
    feed=st.sampled_from(DELIMITERS),
    expected=st.none() | st.just(("a", "b")),
    needed=st.sampled_from([(), ("b",), ("a", "b")]),
)
def test_what_is_advised_is_valid_and_fits(
    lines: list[list[str]], delimiter: str, feed: str, expected: tuple[str, ...] | None, needed: tuple[str, ...]
) -> None:
    text = "".join(delimiter.join(line) + "\n" for line in lines)
    options = replace(COMMA, delimiter=feed)
    begin = start(text, options, expected, needed)
    misfit = find_misfit(begin)
    if misfit is None:
        return

    written = [line for line in misfit.describe(options, True).splitlines() if line.startswith("  source: ")]

    assert len(written) == len(misfit.ways)
    for line, way in zip(written, misfit.ways, strict=True):
        if options == COMMA:
            assert options_of(line, needed) == way.options
        assert find_misfit(begin.read_with(way.options)) is None


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(3000, 9000), st.sampled_from(["x", "y z"])), min_size=1, max_size=20),
    feed=st.sampled_from(DELIMITERS),
    delimiter=st.sampled_from(DELIMITERS),
    quote=st.sampled_from([str, lambda field: f'"{field}"']),
)
def test_only_the_feeds_own_delimiter_fits(
    rows: list[tuple[int, str]], feed: str, delimiter: str, quote: Callable[[str], str]
) -> None:
    lines = [("id", "name"), *rows]
    text = "".join(delimiter.join(quote(str(field)) for field in line) + "\n" for line in lines)
    misfit = find_misfit(start(text, replace(COMMA, delimiter=feed)))

    assert (misfit is None) == (feed == delimiter)
    if misfit is not None:
        assert misfit.ways[0].options.delimiter == delimiter


@settings(deadline=None)
@given(
    title=st.sampled_from(["Report", "Report,,", "# of, 2024-05-01", '"Report, of', "Report;1", ""]),
    blanks=st.integers(0, 3),
)
def test_what_stands_above_a_header_is_skipped(title: str, blanks: int) -> None:
    text = f"{title}\n" + "\n" * blanks + "id,name,n\n1,ann,10\n2,bob,20\n"
    misfit = find_misfit(start(text))
    if not title:
        assert misfit is None
        return

    assert misfit is not None
    is_comment = title.startswith("#")
    assert misfit.ways[0].options == replace(COMMA, **({"comment": "#"} if is_comment else {"skip_lines": 1}))


def test_a_record_of_numbers_is_no_header_to_advise() -> None:
    misfit = find_misfit(start("a,b\n1,2,3\n3,4,5\n6,7,8\n"))
    assert misfit is None or all(way.options.skip_lines == 0 for way in misfit.ways)


@pytest.mark.parametrize(
    ("expected", "needed", "advised"),
    [
        (None, (), ["header: false, names: [column_1, column_2, column_3]", "header: true"]),
        (None, ("id",), ["header: false, names: [id, column_2, column_3]"]),
        (None, ("a", "b", "c", "d"), []),
        (("id", "name", "n"), ("n",), ["header: false, names: [id, name, n]"]),
        (("id", "name"), ("id",), ["header: false, names: [id, name, column_3]"]),
        (("id", "name", "n", "at"), ("at",), ["header: false, names: [at, id, name]"]),
    ],
)
def test_names_are_advised_under_which_the_table_takes_the_file(
    expected: tuple[str, ...] | None, needed: tuple[str, ...], advised: list[str]
) -> None:
    misfit = find_misfit(start("1,ann,10\n2,bob,20\n", COMMA, expected, needed))
    assert misfit is not None
    written = [line.partition("  #")[0].strip() for line in misfit.describe(COMMA, with_text=True).splitlines()[3:]]
    assert written == [f"source: {{options: {{{way}}}}}" for way in advised]


@pytest.mark.parametrize(
    ("names", "needed", "advised"),
    [
        (("a", "b"), (), ["names: [a, b, column_3]"]),
        (("a", "b", "c", "d"), ("a",), ["names: [a, b, c]"]),
        (("a", "b", "c", "d"), ("d",), []),
        (("a", "column_3"), (), []),
        (("a", "b", "c"), (), None),
    ],
)
def test_records_have_as_many_fields_as_the_spec_names(
    names: tuple[str, ...], needed: tuple[str, ...], advised: list[str] | None
) -> None:
    options = replace(COMMA, header=False, names=names)
    misfit = find_misfit(start("1,ann,10\n2,bob,20\n3,cid\n" + "4,dan,30\n" * 20, options, None, needed))
    few = find_misfit(start("1,ann,10\n2,bob,20\n", options, None, needed))

    assert few is None
    assert (misfit is None) == (advised is None)
    if misfit is not None:
        assert f"the records have 3 fields, and source.options.names has {len(names)}" in misfit.reason
        written = [
            line.partition("  #")[0].strip() for line in misfit.describe(options, with_text=True).splitlines()[3:]
        ]
        assert written == [f"source: {{options: {{{way}}}}}" for way in advised or ()]
