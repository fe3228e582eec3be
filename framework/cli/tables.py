"""Text tables, and what a narrow terminal shows of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from framework.model.words import visible

SHORTEST = 8
"""The fewest characters to which a text is cut for a narrow terminal."""


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return rows as an aligned text table; NULL is an empty cell, numbers are right-aligned.

    What does not print, in names of files or in cells of a query, is escaped.
    """
    texts = [["" if value is None else visible(str(value)) for value in row] for row in rows]
    widths = [max(len(name), *(len(row[place]) for row in texts), 0) for place, name in enumerate(columns)]
    numeric = [
        bool(rows) and all(isinstance(row[place], int | float) or row[place] is None for row in rows)
        for place in range(len(columns))
    ]
    lines = [_line(list(columns), widths, [False] * len(columns)), "  ".join("-" * width for width in widths)]
    lines += [_line(row, widths, numeric) for row in texts]
    return "\n".join(lines)


def fitted_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], width: int | None, cut: Collection[str]
) -> str:
    """Return a text table of at most `width` columns, where the texts of the columns in `cut` can be cut to that.

    The longest one is cut first, none to less than SHORTEST characters. With None as the width none is cut.
    """
    excess = 0 if width is None else _width_of(table(columns, rows)) - width
    lengths = {
        place: max((len(str(row[place] or "")) for row in rows), default=0)
        for place, name in enumerate(columns)
        if name in cut
    }
    while excess > 0 and max(lengths.values()) > SHORTEST:
        excess -= 1
        lengths[max(lengths, key=lambda place: lengths[place])] -= 1
    return table(
        columns,
        [
            [_cut(value, lengths[place]) if place in lengths else value for place, value in enumerate(row)]
            for row in rows
        ],
    )


def narrowed_table(
    forms: Iterable[tuple[Sequence[str], Sequence[Mapping[str, object]]]], width: int | None, cut: Collection[str]
) -> str:
    """Return the first form of a table that fits `width` columns, else the last: its columns, and its rows by column.

    Texts of the columns in `cut` are cut for that, as in `fitted_table`.
    """
    for columns, rows in forms:
        fitted = fitted_table(columns, [[row[name] for name in columns] for row in rows], width, cut)
        if width is None or _width_of(fitted) <= width:
            break
    return fitted


def _width_of(text: str) -> int:
    """Return the length of the longest line."""
    return max(map(len, text.splitlines()))


def _cut(value: object, length: int) -> object:
    """Return a text of at most `length` characters: its beginning and its end, in which names of a feed differ."""
    text = str(value)
    if value is None or len(text) <= length:
        return value
    ending = length // 2
    return f"{text[: length - ending - 1]}…{text[-ending:]}"


def _line(cells: Sequence[str], widths: Sequence[int], to_right: Sequence[bool]) -> str:
    padded = [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(cells, widths, to_right, strict=True)
    ]
    return "  ".join(padded).rstrip()
