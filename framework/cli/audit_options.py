"""What commands that read the audit share: times on the command line, and the number of rows."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta

from framework.errors import SpecError

DEFAULT_ROWS = 200
SHOWN_ID = 8
"""The first characters of a run's id, which commands take for it."""
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def add_audit_options(parser: argparse.ArgumentParser, things: str) -> None:
    """Declare --since and --rows; `things` are what the command prints."""
    add_since(parser, things)
    parser.add_argument(
        "--rows",
        type=number_of_rows,
        default=DEFAULT_ROWS,
        metavar="N",
        help=f"at most so many (default {DEFAULT_ROWS})",
    )


def add_since(parser: argparse.ArgumentParser, things: str) -> None:
    """Declare --since."""
    parser.add_argument("--since", metavar="WHEN", help=f"only {things} since: 30m, 6h, 7d, or a UTC time")


def parse_since(arguments: argparse.Namespace, now: datetime) -> datetime:
    """Return the time that --since names; without one, that of all loads.

    Raises:
        SpecError: it is no time.
    """
    if arguments.since is None:
        return datetime(1970, 1, 1, tzinfo=UTC)
    return parse_when(arguments.since, now, f"{arguments.command} --since")


def parse_when(text: str, now: datetime, option: str) -> datetime:
    """Return the time that an option names: a duration before now, or a date or time, UTC unless it has an offset.

    Raises:
        SpecError: it is neither.
    """
    span = re.fullmatch(r"([0-9]{1,5})([mhd])", text)
    if span is not None:
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SpecError(f"{option} {text!r}: write 30m, 6h, 7d, 2026-01-31 or 2026-01-31T06:00") from error
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def number_of_rows(text: str) -> int:
    """Return the number that --rows gives."""
    number = int(text) if text.isdecimal() and len(text) < 10 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"takes a number from 1, not {text!r}")
    return number
