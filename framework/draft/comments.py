"""The comments of a drafted spec: why a field is as it is, and what could not be decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from framework.dataclass import dataclass
from framework.draft.footer import Ends
from framework.draft.keys import Keys
from framework.draft.proposal import Proposal, written_notation
from framework.draft.settle import Settled
from framework.draft.spec_text import Path, comment_lines, flow, sample
from framework.draft.values import Way
from framework.model.notation import PLAIN
from framework.model.null_markers import NULL_MARKERS
from framework.model.words import counted

SCHEMA_PATH = "schemas/pipeline.schema.json"
"""Where a project keeps the schema of specs for editors."""
_MOST_NAMES = 3


@dataclass(frozen=True)
class Findings:
    """What was found and decided. `letters` has a text beyond ASCII of files whose encoding is guessed.

    `ends` says which lines at the ends of the files are no rows.
    """

    proposal: Proposal
    settled: Mapping[str, Settled]
    keys: Keys
    differences: Sequence[str]
    letters: Sequence[str]
    ends: Ends
    with_samples: bool

    def example(self, text: str) -> str:
        """Return a text as an example, nothing where comments hold none."""
        return f", e.g. {sample(text)}" if self.with_samples else ""


def head_of(names: Sequence[str], rows: int) -> str:
    """Return the first lines of a spec."""
    shown = ", ".join(sample(name) for name in names[:_MOST_NAMES])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    text = f"Drafted by feedway init from {shown}{more}: {counted(rows, 'row')}, all of them read."
    return "\n".join([f"# yaml-language-server: $schema=../{SCHEMA_PATH}", *comment_lines(text)]) + "\n"


def comments_of(findings: Findings) -> dict[Path, list[str]]:
    """Return the comments by the path of their field."""
    found: dict[Path, list[str]] = {}
    pairs = (
        *_source(findings),
        *_options(findings),
        *_load(findings),
        *_types(findings),
        *_evolution(findings),
        *_undecided(findings),
    )
    for path, text in (*pairs, *(((), f"In these files {text}.") for text in findings.differences)):
        found.setdefault(path, []).append(text)
    return found


def _source(findings: Findings) -> Iterator[tuple[Path, str]]:
    has_header = "names" not in findings.proposal.options and "header" not in findings.proposal.options
    if findings.settled and has_header and all(each.kind in ("text", "empty") for each in findings.settled.values()):
        yield ("source",), "All columns are text, so the first line may be a row: it is taken for the header."
    if findings.ends.like_total:
        example = findings.example(findings.ends.like_total)
        yield ("source",), f"A last line may be a total{example}. It is loaded as a row."


def _options(findings: Findings) -> Iterator[tuple[Path, str]]:
    options, path = findings.proposal.options, ("source", "options")
    if findings.letters:
        text = "not all of it is UTF-8, so the other encoding is a guess: check the letters"
        yield (*path, "encoding"), text + findings.example(findings.letters[0])
    elif options.get("encoding") in ("utf-16-le", "utf-16-be"):
        yield (*path, "encoding"), "a guess: every other byte is NUL, and there is no byte order mark"
    shown = findings.example(findings.ends.footer.shown) if findings.ends.footer else ""
    notes = {
        "skip_lines": "lines above the header",
        "footer_lines": "a guess: lines at the end that are no rows" + shown,
        "names": "there is no header: choose the names before the first load",
        "quoting": "quotes stand where RFC 4180 has none",
        "trim": "blanks around values are left out",
        "short_rows": "some rows lack fields at their end, which become NULL",
        "comment": "lines that begin so are no rows",
        "records": "the only array of objects in each document",
    }
    for name, text in notes.items():
        if name in options:
            yield (*path, name), text


def _load(findings: Findings) -> Iterator[tuple[Path, str]]:
    if not findings.proposal.keys:
        yield ("load",), f"Rows are appended: {findings.keys.why}."
    elif findings.proposal.rejects_duplicates:
        yield ("load",), f"A guess: {findings.keys.why}. A file with a key twice is rejected."
    else:
        yield ("load",), findings.keys.why


def _evolution(findings: Findings) -> Iterator[tuple[Path, str]]:
    if findings.proposal.fills_with_null:
        yield (
            ("evolution",),
            "not all files have all columns: rows without a column get NULL, and not 0 or an empty text",
        )


def _types(findings: Findings) -> Iterator[tuple[Path, str]]:
    proposal = findings.proposal
    special = {name: each for name, each in findings.settled.items() if each.notation != PLAIN}
    if proposal.fits_decimals:
        yield ("types", "rules"), "fractions get as many digits after the point as the numbers need, by default 18"
    if proposal.parse.null_values:
        yield ("types", "parse"), "what databases write for NULL when they dump tables"
    of_feed: dict[str, list[str]] = {}
    for name, each in special.items():
        if name not in proposal.notations and each.why:
            of_feed.setdefault(each.why, []).append(name)
    for why, names in of_feed.items():
        example = _example(findings, findings.settled[names[0]])
        yield ("types", "parse"), f"{_listed(names)}: {why}{example}"
    for name in proposal.notations:
        each = findings.settled[name]
        if each.why:
            yield ("types", "columns", name), f"{each.why}{_example(findings, each)}"
        elif each.notation.null_values:
            yield ("types", "columns", name), "words for NULL among other values"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"{', '.join(names[:_MOST_NAMES])}{more}"


def _example(findings: Findings, settled: Settled) -> str:
    values = [text for text in settled.texts if text.strip().lower() not in NULL_MARKERS]
    return findings.example(max(values, key=len)) if values and not settled.notation.booleans else ""


def _undecided(findings: Findings) -> Iterator[tuple[Path, str]]:
    def offer(name: str, way: Way) -> tuple[Path, str]:
        entry = written_notation(way.notation, findings.proposal.parse)
        field = f"types: {{columns: {flow({name: entry})}}}" if entry else f"without {name} in types.columns"
        return (), f"  {field}  # {way.why}"

    for name, each in findings.settled.items():
        example = _example(findings, each)
        if each.alternatives:
            yield (), f"{name} is text, because its values can be read in several ways{example}. One of:"
            yield from (offer(name, way) for way in each.alternatives)
