"""The examples of YAML in the documentation, as files that they would be part of."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from framework.spec.json_schema import json_schema

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
_AROUND = {
    "notify": ("environments", ("environments:", "  prod:"), 4),
    "given": ("feed_tests", ("tests:", "  a test:"), 4),
    "rows": ("feed_tests", ("tests:", "  a test:", "    expect:"), 6),
}
"""By the first field of a part of a file: the schema of the file, the lines that hold the part, and its indent."""


@dataclass(frozen=True)
class Example:
    """An example with its place in the documentation, and the schema of its file; a part may lack required fields."""

    place: str
    schema: str
    text: str

    @property
    def is_whole(self) -> bool:
        """Whether it is a spec with all that a spec needs."""
        return self.text.startswith("pipeline:") or "\npipeline:" in self.text


def examples() -> Iterator[Example]:
    """Yield the examples of specs, environments and tests of feeds; those of other programs' files are left out."""
    for page in (*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"):
        for number, text in enumerate(_BLOCK.findall(page.read_text(encoding="utf-8"))):
            value = yaml.safe_load(text)
            first = next(iter(value)) if isinstance(value, dict) else None
            place = f"{page.name}:{number}"
            if first in _AROUND:
                schema, lines, indent = _AROUND[first]
                yield Example(place, schema, "\n".join([*lines, textwrap.indent(text, " " * indent)]))
            elif first in json_schema("pipeline")["properties"]:
                yield Example(place, "pipeline", text)
            elif first in ("environments", "tests"):
                yield Example(place, {"tests": "feed_tests"}.get(first, first), text)
