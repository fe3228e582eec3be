"""The golden cases as feeds in the sandbox: what observed.yml says is made there, and a file that it fits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import yaml

from framework.model.names import literal
from tests.harness import FeedHarness, csv_text, new_name
from tests.sandbox.conftest import ENVIRONMENT

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
CASES = sorted(path for path in GOLDEN.iterdir() if path.is_dir())


class GoldenFeed:
    """A golden case under a name of its own. `content` is a file of two rows."""

    def __init__(self, folder: Path, s3: Any, redshift_data: Any, frames: Any) -> None:
        name = new_name(f"golden_{folder.name}")
        spec = yaml.safe_load((folder / "spec.yml").read_text(encoding="utf-8"))
        self._old_name = spec["target"]["table"]
        text = (folder / "observed.yml").read_text(encoding="utf-8")
        self._case = yaml.safe_load(re.sub(rf"\b{self._old_name}\b", name, text))
        self._dependents = _rows_of(self._case.get("looked_up", {}), name)
        self._views = {f"{view['schema']}.{view['name']}": view["definition"] for view in spec.get("views", ())}
        del spec["pipeline"]
        spec["source"]["prefix"] = f"data/in/{name}/"
        spec["target"]["table"] = name
        if "select_row_count" in self._dependents:
            # The case's table is big; a row in it is more than none.
            spec.setdefault("evolution", {})["rewrite_up_to_rows"] = 0
        self.feed = FeedHarness(s3, redshift_data, frames, ENVIRONMENT, name, yaml.safe_dump(spec, sort_keys=False))
        self.keeps_stored = bool(self._case.get("keeps_stored"))
        self.columns = self._case["header"].split(",")
        self.content = csv_text(self._case["header"], *([self._value(c, row) for c in self.columns] for row in (0, 1)))
        if "table" in self._case:
            self.feed.sql(*self._setup())

    def _value(self, column: str, row: int) -> str:
        seen = self._case.get("seen", {}).get(column) or self._case.get("profiles", {}).get(column) or {}
        if "largest" in seen:
            return str(seen["largest" if row else "smallest"])
        if seen.get("scale"):
            return f"{row + 1}2.{'5' * seen['scale']}"
        if seen.get("booleans"):
            return "true" if row else "false"
        if self._case.get("table", {}).get(column) == "timestamp" or seen.get("timestamps"):
            return f"2001-02-0{row + 1} 04:05:06"
        return "é" * (seen.get("longest_bytes", 0) // 2) or str(row + 1)

    def _setup(self) -> Iterator[str]:
        """Yield what makes the table, a row in it, and what stands on it."""
        yield from (f"create schema if not exists {schema}" for schema in self._case.get("schemas", ()))
        yield from self._principals()
        yield self._table()
        names = [column for column in self._case["table"] if column in self.columns]
        stored = {"timestamp": "2001-02-03 04:05:06"}
        values = ", ".join(literal(stored.get(self._case["table"][column], "1")) for column in names)
        yield f"insert into {self.feed.table} ({', '.join(names)}) values ({values})"
        yield from self._made_views()
        granted = [grant for grant in self._dependents.get("select_grants", ()) if not self._owns(grant)]
        granted += [[*view.split("."), *g] for view, grants in self._case.get("views", {}).items() for g in grants]
        for schema, relation, privilege, grantee, kind, _ in granted:
            to = grantee if kind == "public" else f"{'' if kind == 'user' else kind} {self._own(grantee)}"
            yield f"grant {privilege} on {schema}.{relation} to {to}"
        for relation, column, text in self._comments():
            on = f"column {relation}.{column}" if column else f"{self._kind(relation)} {relation}"
            yield f"comment on {on} is {literal(text)}"
        for schema, relation, owner in self._dependents.get("select_table_owner", ()):
            yield f"alter table {schema}.{relation} owner to {self._own(owner)}"

    def _principals(self) -> Iterator[str]:
        grants = [grant[-3:-1] for grant in self._dependents.get("select_grants", ())]
        grants += [grant[1:3] for of_view in self._case.get("views", {}).values() for grant in of_view]
        grants += [(row[2], "user") for row in self._dependents.get("select_dependents", ()) if row[2] != "etl"]
        grants += [(row[2], "user") for row in self._dependents.get("select_table_owner", ())]
        for name, kind in sorted({(name, kind) for name, kind in grants if kind != "public"}):
            yield f"create {kind} {self._own(name)}" + (" password 'Abcdefg1'" if kind == "user" else "")

    def _own(self, principal: str) -> str:
        """Return a principal's name for this feed alone: they belong to the whole warehouse."""
        return f"{principal}_{self.feed.name}"

    def _table(self) -> str:
        parts = [f"{name} {text}" for name, text in self._case["table"].items()]
        keys = [column for _, _, column in self._dependents.get("select_table_keys", ())]
        parts += [f"primary key ({', '.join(keys)})"] if keys else []
        return f"create table {self.feed.table} ({', '.join(parts)})"

    def _made_views(self) -> Iterator[str]:
        below: dict[str, set[str]] = {}
        for view, source, _ in self._case.get("dependencies", ()):
            below.setdefault(view, set()).add(source)
        found = self._dependents.get("select_dependents", ())
        definitions = {f"{schema}.{name}": definition.strip(" ;") for schema, name, *_, definition in found}
        definitions |= {name: text.replace("{{ target }}", self.feed.table) for name, text in self._views.items()}
        for view in TopologicalSorter(below).static_order():
            if view in definitions:
                yield f"create view {view} as {definitions[view]}"
        yield from (f"alter table {s}.{n} owner to {self._own(owner)}" for s, n, owner, *_ in found if owner != "etl")

    def _owns(self, grant: Sequence[Any]) -> bool:
        owners = [row[:3] for row in self._dependents.get("select_dependents", ())]
        owners += self._dependents.get("select_table_owner", ())
        return [*grant[:2], grant[3]] in owners

    def _comments(self) -> list[tuple[str, str | None, str]]:
        shown = [tuple(comment) for comment in self._case.get("comments", ())]
        shown += [(f"{row[0]}.{row[1]}", *row[2:]) for row in self._dependents.get("select_comments", ())]
        return list(dict.fromkeys(shown))

    def _kind(self, relation: str) -> str:
        return "table" if relation == self.feed.table else "view"


def _rows_of(looked_up: Mapping[str, Any], table: str) -> dict[str, list[Any]]:
    """Return what a case says was looked up as the rows of the queries that look it up."""
    design, views = looked_up.get("design", {}), looked_up.get("views", {})
    granted = {f"public.{table}": design, **views}
    rows = {
        "select_row_count": [looked_up["row_count"]] if "row_count" in looked_up else [],
        "select_table_keys": [("", "", column) for _, columns in design.get("keys", ()) for column in columns],
        "select_table_owner": [["public", table, design["owner"]]] if "owner" in design else [],
        "select_dependents": [[*v.split("."), made["owner"], "", "", made["definition"]] for v, made in views.items()],
        "select_grants": [[*r.split("."), *g] for r, made in granted.items() for g in made.get("grants", ())],
        "select_comments": [[*named.split("."), *rest] for named, *rest in looked_up.get("comments", ())],
    }
    return {name: found for name, found in rows.items() if found}
