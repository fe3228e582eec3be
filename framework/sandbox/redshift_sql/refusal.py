"""What a statement is refused with: Redshift's words, or the name of what the sandbox does not do."""

from __future__ import annotations

SYNTAX_ERROR = "42601"
FEATURE_NOT_SUPPORTED = "0A000"


class Refused(Exception):
    """A statement that does not run.

    `message` has Redshift's words without the leading "ERROR: "; `position` is the place in the
    statement's text, counted from 1, where it is known.
    """

    def __init__(
        self,
        message: str,
        sqlstate: str = FEATURE_NOT_SUPPORTED,
        detail: str | None = None,
        position: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.sqlstate = sqlstate
        self.detail = detail
        self.position = position


def not_supported(what: str) -> Refused:
    """Refuse by name what Redshift may know but the sandbox does not do."""
    return Refused(f"{what} is not supported by the sandbox")


def syntax_error(text: str, position: int | None = None) -> Refused:
    """Refuse a statement at the token it breaks on; an empty text is the statement's end."""
    where = f'at or near "{text}"' if text else "at end of input"
    return Refused(f"syntax error {where}", SYNTAX_ERROR, position=position)
