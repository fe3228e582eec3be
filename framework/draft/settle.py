"""How the columns' texts write values: candidates by the texts, decided by all rows of all files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace

from framework.dataclass import dataclass
from framework.draft.proposal import Proposal
from framework.draft.scratch import Scratch
from framework.draft.values import Way, in_context, number_context, ways_of
from framework.model.date_format import DateFormat
from framework.model.measurements import ColumnProfile
from framework.model.notation import PLAIN, PLAIN_NUMBERS, Negative, Notation
from framework.plan.infer_type import infer
from framework.rows.protocol import SourceRows
from framework.spec.pipeline import InferredKind

MOST_TEXTS = 2000
"""So many distinct texts of a column yield candidates."""
_TEXT = ("text", "empty")
_AS_TEXT = "varchar(256)"
_GROUPED = Way(replace(PLAIN, numbers=replace(PLAIN_NUMBERS, decimal=",", thousands=".")), "points between thousands")
_NEGATIVES: tuple[Negative, ...] = ("leading", "trailing", "parentheses")
_DUMPED_NULL = r"\N"
"""What databases write for NULL when they dump tables: the only word for NULL that is taken for it in texts too."""


@dataclass(frozen=True)
class Settled:
    """What is known of a column: what its values are, by which notation, why, and the notations that fit alike.

    `values` counts the values where no text is NULL, and `texts` has them, of many two of each shape. A column with
    `alternatives` is text: one text is a different value in each.
    """

    kind: InferredKind
    notation: Notation
    values: int
    why: str = ""
    texts: tuple[str, ...] = ()
    alternatives: tuple[Way, ...] = ()

    @property
    def is_plain_too(self) -> bool:
        """Whether the values can be read as they are, and in another way."""
        return any(way.notation == PLAIN for way in self.alternatives)


@dataclass
class Settling:
    """Settles the columns of a batch, pass by pass."""

    rows: SourceRows
    scratch: Scratch
    names: Sequence[str]
    has_points: bool = False
    """Whether a column has numbers with a point that cannot group thousands."""
    found: dict[str, Settled] = field(default_factory=dict)

    def settle(self) -> Mapping[str, Settled]:
        """Return what is known of each column."""
        profiles = self.rows.profile(dict.fromkeys(self.names, PLAIN)) if self.names else {}
        kinds = {name: infer(profile) for name, profile in profiles.items()}
        self.found = {name: Settled(kinds[name], PLAIN, profile.values) for name, profile in profiles.items()}
        ways: dict[str, list[Way]] = {}
        for name in self.names:
            if kinds[name] in ("text", "double"):
                texts = self.scratch.values(name, MOST_TEXTS)
                self.found[name] = replace(self.found[name], texts=texts)
                ways[name] = ways_of(texts)[0] if kinds[name] == "text" else []
        doubles = [name for name in ways if kinds[name] == "double"]
        grouped = self._kinds(dict.fromkeys(doubles, _GROUPED.notation))
        self.has_points = any(kind != "integer" for kind in grouped.values())
        self._decide(ways)
        self._groups_of_points([name for name, kind in grouped.items() if kind == "integer"])
        for name, each in self.found.items():
            if each.kind == "text" and _DUMPED_NULL in each.texts:
                notation = replace(each.notation, null_values=(_DUMPED_NULL,))
                self.found[name] = replace(each, notation=notation)
        return self.found

    def _decide(self, ways: Mapping[str, Sequence[Way]]) -> None:
        fitting = self._fitting(ways)
        for name, fits in fitting.items():
            if len(fits) == 1:
                self._accept(name, *fits[0])
        context = self._context()
        for name, fits in fitting.items():
            kinds = dict(fits) if len(fits) > 1 else {}
            agreeing = in_context(list(kinds), context) if context else []
            if len(agreeing) == 1 and agreeing[0].notation.numbers != PLAIN_NUMBERS:
                (way,) = agreeing
                self._accept(name, replace(way, why=f"{way.why}, as in other columns"), kinds[way])
            elif kinds:
                self.found[name] = replace(self.found[name], alternatives=tuple(kinds))

    def _fitting(self, ways: Mapping[str, Sequence[Way]]) -> dict[str, list[tuple[Way, InferredKind]]]:
        """Return the ways in which all values of a column are something else than text, and what they are."""
        fitting: dict[str, list[tuple[Way, InferredKind]]] = {name: [] for name in ways}
        for number in range(max(map(len, ways.values()), default=0)):
            tried = {name: each[number] for name, each in ways.items() if number < len(each)}
            kinds = self._kinds({name: way.notation for name, way in tried.items()})
            for name, way in tried.items():
                if kinds[name] not in _TEXT:
                    fitting[name].append((way, kinds[name]))
        return fitting

    def _accept(self, name: str, way: Way, kind: InferredKind) -> None:
        self.found[name] = replace(self.found[name], kind=kind, notation=way.notation, why=way.why)

    def _groups_of_points(self, names: Sequence[str]) -> None:
        """Settle numbers such as 1.234, a fraction or a whole number, by what other columns show."""
        marks = number_context({name: each.notation for name, each in self.found.items()})
        has_commas = marks is not None and marks[0] == ","
        for name in names:
            if has_commas and not self.has_points:
                self._accept(name, replace(_GROUPED, why=f"{_GROUPED.why}, as in other columns"), "integer")
            elif has_commas or not self.has_points:
                ways = (Way(PLAIN, "a decimal point"), _GROUPED)
                self.found[name] = replace(self.found[name], kind="text", alternatives=ways)

    def _context(self) -> tuple[str, str | None] | None:
        """Return the marks that the numbers of settled columns have; None where columns contradict each other."""
        if self.has_points:
            return None
        return number_context({name: each.notation for name, each in self.found.items()})

    def _kinds(self, notations: Mapping[str, Notation]) -> dict[str, InferredKind]:
        profiles = self.rows.profile(notations) if notations else {}
        return {name: infer(profile) for name, profile in profiles.items()}


def composed(proposal: Proposal, settled: Mapping[str, Settled], rows: SourceRows) -> Proposal:
    """Return the proposal with the notations, those of the feed where all columns then read as settled.

    A column whose texts are ambiguous stays text by its type where the feed's notation would read them.
    """
    special = {name: each.notation for name, each in settled.items() if each.notation != PLAIN}
    forced = {name: _AS_TEXT for name, each in settled.items() if each.is_plain_too}
    by_column = replace(proposal, notations=special, types=forced)
    parse = _of_feed(list(special.values()))
    if parse == PLAIN:
        return by_column
    own = {name: _beside(parse, notation) for name, notation in special.items()}
    notations = {name: notation for name, notation in own.items() if notation != parse}
    read = rows.profile({name: notations.get(name, parse) for name in settled})
    if all(_is_as_settled(read[name], each) for name, each in settled.items() if name not in forced):
        return replace(proposal, parse=parse, notations=notations, types=forced)
    return by_column


def _beside(parse: Notation, notation: Notation) -> Notation:
    """Return the notation of a column as far as that of the feed does not have it."""
    marks = notation.numbers
    return replace(
        parse,
        null_values=tuple(dict.fromkeys((*parse.null_values, *notation.null_values))),
        numbers=replace(parse.numbers, percent=marks.percent, currency=marks.currency),
        booleans=parse.booleans or notation.booleans,
        formats=parse.formats or notation.formats,
    )


def _is_as_settled(profile: ColumnProfile, settled: Settled) -> bool:
    # A word for NULL in a text stays a text.
    is_whole = bool(settled.notation.null_values) or profile.values == settled.values
    return infer(profile) == settled.kind and is_whole


def _of_feed(notations: Sequence[Notation]) -> Notation:
    """Return the notation that columns have in common: marks of numbers and formats of days, and what several have."""
    special = [each for each in notations if each.numbers != PLAIN_NUMBERS]
    numbers = PLAIN_NUMBERS
    decimals = {each.numbers.decimal for each in special}
    groups = {each.numbers.thousands for each in special if each.numbers.thousands}
    if len(decimals) == 1 and len(groups) < 2:
        negatives = dict.fromkeys(form for each in special for form in each.numbers.negatives)
        in_order = tuple(form for form in _NEGATIVES if form in negatives or form == "leading")
        numbers = replace(
            PLAIN_NUMBERS, decimal=decimals.pop(), thousands=groups.pop() if groups else None, negatives=in_order
        )
    formats = tuple(dict.fromkeys(each for notation in notations for each in notation.formats))
    booleans = [each.booleans for each in notations if each.booleans]
    return Notation(
        # Another word may be a text in a column of texts, if not in these files then in later ones.
        null_values=(_DUMPED_NULL,) if any(_DUMPED_NULL in each.null_values for each in notations) else (),
        numbers=numbers,
        booleans=tuple(dict.fromkeys(pair for each in booleans for pair in each)) if len(booleans) > 1 else (),
        formats=formats if _have_one_locale(formats) else (),
    )


def _have_one_locale(formats: Sequence[DateFormat]) -> bool:
    return len({each.locale for each in formats}) == 1
