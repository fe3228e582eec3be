"""Reading a statement token by token, for the grammars that are our own."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from framework.sandbox.redshift_sql.long_names import cut_name
from framework.sandbox.redshift_sql.postgres_text import RelationName, fold
from framework.sandbox.redshift_sql.refusal import Refused, not_supported, syntax_error
from framework.sandbox.redshift_sql.reserved import RESERVED_WORDS

_TEXTS = frozenset(
    {
        TokenType.STRING,
        TokenType.IDENTIFIER,
        TokenType.HEREDOC_STRING,
        TokenType.BYTE_STRING,
        TokenType.NATIONAL_STRING,
    }
)


def is_word(token: Token) -> bool:
    """Say whether a token is a word that is not quoted, keyword or name; any character beyond ASCII may be in one."""
    first = token.text[:1]
    return token.token_type not in _TEXTS and first != "" and (first.isalpha() or first in "_#" or not first.isascii())


class Reader:
    """A place in the tokens of one statement. With `cuts_names` names that are too long are cut, not refused."""

    def __init__(self, tokens: Sequence[Token], sql: str) -> None:
        self.tokens = list(tokens)
        self.sql = sql
        self.place = 0
        self.cuts_names = False

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self.place >= len(self.tokens)

    def error(self) -> Refused:
        """Return the syntax error at this place."""
        if self.at_end:
            return syntax_error("")
        token = self.tokens[self.place]
        return syntax_error(self.sql[token.start : token.end + 1], token.start + 1)

    def expect_end(self) -> None:
        """Refuse whatever is left."""
        if not self.at_end:
            raise self.error()

    def sees(self, *words: str) -> bool:
        """Say whether these words come next. sqlglot makes one token of some pairs, as PRIMARY KEY."""
        return self._after(words) is not None

    def accept(self, *words: str) -> bool:
        """Step over these words if they come next."""
        after = self._after(words)
        if after is not None:
            self.place = after
        return after is not None

    def expect(self, *words: str) -> None:
        """Step over these words, which must come next."""
        if not self.accept(*words):
            raise self.error()

    def _after(self, words: Sequence[str]) -> int | None:
        place, left = self.place, list(words)
        while left:
            if place >= len(self.tokens):
                return None
            token = self.tokens[place]
            if not is_word(token):
                return None
            found = token.text.lower().split()
            if found != left[: len(found)]:
                return None
            left, place = left[len(found) :], place + 1
        return place

    def accept_mark(self, mark: str) -> bool:
        """Step over a punctuation mark if it comes next."""
        if self.at_end or self.tokens[self.place].text != mark or self.tokens[self.place].token_type in _TEXTS:
            return False
        self.place += 1
        return True

    def expect_mark(self, mark: str) -> None:
        """Step over a punctuation mark, which must come next."""
        if not self.accept_mark(mark):
            raise self.error()

    def word(self) -> str:
        """Step over any word and return it in lower case."""
        if self.at_end or not is_word(self.tokens[self.place]):
            raise self.error()
        self.place += 1
        return self.tokens[self.place - 1].text.lower()

    def name(self) -> str:
        """Step over a name and return it folded.

        Raises:
            Refused: it is a reserved word that is not quoted, or too long.
        """
        token = self.tokens[self.place] if not self.at_end else None
        if token is None:
            raise self.error()
        quoted = token.token_type == TokenType.IDENTIFIER
        if not quoted and (not is_word(token) or token.text.lower() in RESERVED_WORDS or " " in token.text):
            raise self.error()
        self.place += 1
        return fold(cut_name(token.text) if self.cuts_names else token.text)

    def names(self) -> tuple[str, ...]:
        """Step over names in parentheses."""
        self.expect_mark("(")
        names = [self.name()]
        while self.accept_mark(","):
            names.append(self.name())
        self.expect_mark(")")
        return tuple(names)

    def relation(self) -> RelationName:
        """Step over the name of a table or view."""
        names = self._dotted_names()
        if len(names) > 2:
            raise not_supported("a name with a database, " + ".".join(names) + ",")
        if len(names) == 2 and names[0] in ("pg_internal", "pg_sandbox"):
            raise Refused(f"permission denied for schema {names[0]}", "42501")
        return RelationName(names[0] if len(names) == 2 else None, names[-1])

    def column_of_relation(self) -> tuple[RelationName, str]:
        """Step over the name of a column with its relation's before it."""
        names = self._dotted_names()
        if len(names) not in (2, 3):
            raise not_supported("a column name of this form, " + ".".join(names) + ",")
        return RelationName(names[0] if len(names) == 3 else None, names[-2]), names[-1]

    def relations(self) -> list[RelationName]:
        """Step over names of relations, separated by commas."""
        relations = [self.relation()]
        while self.accept_mark(","):
            relations.append(self.relation())
        return relations

    def _dotted_names(self) -> list[str]:
        names = [self.name()]
        while self.accept_mark("."):
            names.append(self.name())
        return names

    def text(self) -> str:
        """Step over a string literal and return its value."""
        if self.at_end or self.tokens[self.place].token_type != TokenType.STRING:
            raise self.error()
        self.place += 1
        return self.tokens[self.place - 1].text

    def number(self) -> int:
        """Step over a whole number."""
        if self.at_end or not self.tokens[self.place].text.isdigit():
            raise self.error()
        self.place += 1
        return int(self.tokens[self.place - 1].text)

    def rest(self) -> list[Token]:
        """Step over all that is left and return it."""
        left = self.tokens[self.place :]
        self.place = len(self.tokens)
        return left

    def value_tokens(self, *until: str) -> list[Token]:
        """Step over a value: up to a comma, a closing parenthesis or one of these words."""
        start, depth = self.place, 0
        while not self.at_end:
            token = self.tokens[self.place]
            mark = token.text if token.token_type not in _TEXTS else ""
            if depth == 0 and (mark in (",", ")") or any(self.sees(word) for word in until)):
                break
            depth += (mark == "(") - (mark == ")")
            self.place += 1
        if self.place == start:
            raise self.error()
        return self.tokens[start : self.place]
