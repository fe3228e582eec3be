"""YAML read into plain values, with the line and column of everything in it.

Plain scalars mean what they mean in YAML 1.2, which is also what editors check against the JSON
Schemas: `no` and `on` are text, and so is a number that would lose something by being one
(`0123`, `1_000`, `12:30`, `0x1F`). Dates are text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

import yaml
from yaml.reader import ReaderError

from framework.dataclass import dataclass
from framework.errors import Problem, SpecError

Path = tuple[str | int, ...]
"""Field names and list positions from the top of a document to a value."""

MAX_VALUES = 100_000
"""Aliases can make a small text into an endless document; nothing real comes near this."""

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_TAG = "tag:yaml.org,2002:"
_CONVERSIONS: Mapping[str, tuple[re.Pattern[str], Callable[[str], object]]] = {
    f"{_TAG}null": (re.compile("|~|null|Null|NULL"), lambda text: None),
    f"{_TAG}bool": (re.compile("true|True|TRUE|false|False|FALSE"), lambda text: text.lower() == "true"),
    f"{_TAG}int": (re.compile("-?(?:0|[1-9][0-9]{0,17})"), int),
    f"{_TAG}float": (re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+]?[0-9]{1,3})?"), float),
}
_TEXT_TAGS = {f"{_TAG}{name}" for name in ("str", "timestamp", "merge", "value")}


@dataclass(frozen=True)
class Finding:
    """A mistake at a path of a document.

    It is shown at the path's value; with `at_key` at the field's name, and with `place` there. `within` is a line
    and a column, from 0, of the text at the path: it is shown there where the text is a block with lines of its own.
    """

    path: Path
    rule: str
    message: str
    fix: str = ""
    at_key: bool = False
    place: tuple[int, int] | None = None
    within: tuple[int, int] | None = None


@dataclass(frozen=True)
class TextPlace:
    """The place of a text in a file; with `is_block` the text's own lines follow one by one from there."""

    line: int
    column: int
    is_block: bool

    def at(self, within: tuple[int, int] | None) -> tuple[int, int]:
        """Return the place of a line and a column of the text, both from 0, as far as it is known."""
        if within is None or not self.is_block:
            return self.line, self.column
        return self.line + within[0], self.column + within[1]


@dataclass(frozen=True)
class Document:
    """A YAML text as plain values; `keys` and `values` are (line, column), counted from 1, by path.

    `blocks` are the places of the first characters of texts that are written as blocks (`|`). `numbers` are numbers and
    booleans as they are written, by path: `10.50` is the number 10.5.

    `findings` are mistakes of the YAML itself that leave the rest readable.
    """

    shown: str
    value: object
    keys: Mapping[Path, tuple[int, int]]
    values: Mapping[Path, tuple[int, int]]
    blocks: Mapping[Path, tuple[int, int]]
    numbers: Mapping[Path, str]
    findings: tuple[Finding, ...]

    def problem(self, finding: Finding) -> Problem:
        """Return the finding with the place it is shown at; a missing field is shown at its parent."""
        line, column = self._place(finding)
        return Problem(self.shown, line, column, finding.rule, finding.message, finding.fix)

    def line_of(self, path: Path) -> int:
        """Return the line of a value; of one that is missing, that of what would hold it."""
        return self._place(Finding(path, "", ""))[0]

    def text_place(self, path: Path) -> TextPlace:
        """Return the place of a text."""
        return TextPlace(*self.blocks.get(path, self.values[path]), is_block=path in self.blocks)

    def _place(self, finding: Finding) -> tuple[int, int]:
        path = finding.path
        if finding.place is not None:
            return finding.place
        if finding.within is not None and path in self.blocks:
            return self.text_place(path).at(finding.within)
        if path in self.values and not finding.at_key:
            return self.values[path]
        while path and path not in self.values:
            path = path[:-1]
        return self.keys.get(path) or self.values[path]


def field_name(path: Path) -> str:
    """Return a path as messages name it: `load.keys`; positions in lists are left out."""
    return ".".join(step for step in path if isinstance(step, str)) or "the document"


def spec_error(shown: str, problems: Sequence[Problem]) -> SpecError:
    """Return the error that lists all problems of one file, in the order of the file."""
    ordered = sorted(problems, key=lambda problem: (problem.line, problem.column, problem.rule))
    count = "one problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    return SpecError(f"{shown} has {count}:", ordered)


def end_of(text: str) -> tuple[int, int]:
    """Return the line and the column, from 1, of what follows a text at the start of a file."""
    lines = _LINE_BREAK.split(text.removeprefix("\ufeff"))
    return len(lines), len(lines[-1]) + 1


def read_document(text: str, shown: str) -> Document:
    """Read one YAML document. `shown` is how problems name the file.

    Raises:
        SpecError: the text is not one readable YAML document.
    """
    try:
        text.encode("utf-8")
        root = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, UnicodeEncodeError, RecursionError) as error:
        raise spec_error(shown, [_syntax_problem(text, shown, error)]) from error
    if root is None:
        raise spec_error(shown, [Problem(shown, 0, 0, "spec/empty", "the file is empty", "Write a spec.")])
    reader = _Reader(_LINE_BREAK.split(text))
    try:
        value = reader.read(root, ())
    except RecursionError as error:
        problem = Problem(shown, 0, 0, "spec/yaml", "the values are nested without end", "Write them out.")
        raise spec_error(shown, [problem]) from error
    return Document(shown, value, reader.keys, reader.values, reader.blocks, reader.numbers, tuple(reader.findings))


def _syntax_problem(text: str, shown: str, error: Exception) -> Problem:
    if isinstance(error, UnicodeEncodeError | ReaderError):
        # The reader counts bytes.
        at = error.start if isinstance(error, UnicodeEncodeError) else text.index(chr(error.character))
        message = f"the text is not YAML: it holds the character U+{ord(text[at]):04X}"
        fix = "Leave it out, or write it as an escape in double quotes."
        return Problem(shown, *end_of(text[:at]), "spec/yaml", message, fix)
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Problem(shown, 0, 0, "spec/yaml", f"the text is not YAML: {error}", "Write fewer levels.")
    mark, reason = error.problem_mark, error.problem or str(error)
    # What ends too early is reported behind the last line, where no editor can go.
    lines = _LINE_BREAK.split(text.rstrip())
    row, column = (mark.line, mark.column) if mark.line < len(lines) else (len(lines) - 1, len(lines[-1]))
    if "\t" in lines[row][: len(lines[row]) - len(lines[row].lstrip())]:
        reason, fix = "a tab indents the line", "Indent with blanks; YAML allows no tabs there."
    elif reason.startswith("but "):
        reason, fix = f"{error.context}, {reason}", "Write one document per file."
    else:
        fix = "Check indentation, colons and quotes here and just above; quote text that holds `: ` or ` #`."
    return Problem(shown, row + 1, column + 1, "spec/yaml", f"the text is not YAML: {reason}", fix)


@dataclass
class _Reader:
    """Turns the nodes of one document into values, and keeps what it meets on the way."""

    lines: Sequence[str]
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    blocks: dict[Path, tuple[int, int]] = field(default_factory=dict)
    numbers: dict[Path, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def read(self, node: yaml.Node, path: Path) -> object:
        if len(self.values) >= MAX_VALUES:
            raise RecursionError
        self.values[path] = _place(node)
        match node:
            case yaml.MappingNode(tag=tag) if tag == f"{_TAG}map":
                return self._mapping(node, path)
            case yaml.SequenceNode(tag=tag) if tag == f"{_TAG}seq":
                return [self.read(entry, (*path, index)) for index, entry in enumerate(node.value)]
            case yaml.ScalarNode(tag=tag) if tag in _CONVERSIONS or tag in _TEXT_TAGS:
                if node.style == "|":
                    self.blocks[path] = self._block_start(node)
                value = _scalar(node)
                if isinstance(value, bool | int | float):
                    self.numbers[path] = node.value
                return value
        message = f"{field_name(path)} carries the tag {node.tag!r}, which means nothing here"
        self.findings.append(Finding(path, "spec/tag", message, "Leave the tag out."))
        return None

    def _block_start(self, node: yaml.Node) -> tuple[int, int]:
        first = node.start_mark.line + 1
        indent = next((len(line) - len(line.lstrip(" ")) for line in self.lines[first:] if line.strip()), 0)
        return first + 1, indent + 1

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = _key(key_node)
            place = _place(key_node)
            if key is None:
                message = f"{field_name(path)} has a key that is not a text"
                self.findings.append(Finding(path, "spec/key", message, "Put the key in quotes.", place=place))
            elif key in mapping:
                message = f"{field_name((*path, key))} is given twice, first on line {self.keys[(*path, key)][0]}"
                fix = "Keep one of the two."
                self.findings.append(Finding((*path, key), "spec/duplicate-key", message, fix, place=place))
            else:
                self.keys[(*path, key)] = place
                mapping[key] = self.read(value_node, (*path, key))
        return mapping


def _key(node: yaml.Node) -> str | None:
    """Return a mapping's key; None where it is no text."""
    if not isinstance(node, yaml.ScalarNode) or node.tag not in _CONVERSIONS.keys() | _TEXT_TAGS:
        return None
    value = _scalar(node)
    return value if isinstance(value, str) else None


def _scalar(node: yaml.ScalarNode) -> object:
    text: str = node.value
    if node.tag not in _CONVERSIONS:
        return text
    expression, convert = _CONVERSIONS[node.tag]
    return convert(text) if expression.fullmatch(text) else text


def _place(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1
