"""Writes docs/spec.md from the JSON Schemas: `python docs/generate_spec.py`."""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from framework.spec.rules import RULES, Rule

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "spec.md"

INTRODUCTION = """\
# Write a spec

A feed is one file `pipelines/NAME.yml`. Only `pipeline`, `source.prefix`, `target.table` and, for an upsert,
`load.keys` are required:

```yaml
pipeline: orders
source: {prefix: data/in/orders/}
target: {table: orders}
load: {keys: [order_id]}
```

- `feedway validate` checks every file, with line and column, without touching AWS.
- [An editor](#use-an-editor) checks and completes while you type.
- YAML is read as version 1.2: `no`, `on` and `0123` are text, `true` and `false` are the only booleans.

`docs/generate_spec.py` writes this page from `schemas/pipeline.schema.json` and `schemas/environments.schema.json`.
Change those.

## Start from an example

```yaml
# yaml-language-server: $schema=../schemas/pipeline.schema.json
pipeline: customers
description: Customer master, daily extract from the CRM
owner: crm-team
tags: [crm, daily]
expect: {every: 1d}                    # stale reports a day without a successful load

source:
  prefix: data/in/customers/
  pattern: "customers_*.csv*"          # also finds customers_2024-05-01.csv.gz
  options: {delimiter: ";", encoding: windows-1252}

target: {table: customers, distkey: customer_id, sortkey: [updated_at]}

load:
  mode: upsert
  keys: [customer_id]
  order_by: [updated_at desc]          # the newest of several rows with one key wins

columns:
  rename: {cust_no: customer_id}       # "Cust. No" in the file, cust_no once cleaned
  exclude: [internal_flag]

types:
  parse: {null_values: [NA], decimal: ",", thousands: "."}
  columns:
    postal_code: varchar(16)
    signed_up: {type: timestamp, formats: ["dd/MM/yyyy HH:mm"]}
  rules:
    - {name: "*_id", type: varchar(64)}
    - {inferred: double, type: double precision}

evolution: {missing_columns: {new_rows: "null"}}   # stored rows keep their values
bad_rows: {action: quarantine, max_fraction: 0.01}

views:
  - schema: reporting
    name: v_customers
    definition: |
      select customer_id, postal_code, signed_up
      from {{ target }}
```

- `"Cust. No"` becomes `cust_no` by cleaning (lower case, every run of other characters one `_`), then `customer_id` by
  `columns.rename`. Everything else in the spec uses the name after renaming.
- `customer_id` is VARCHAR(64), because the rule `*_id` comes before the default rules.
- A column of fractions is DOUBLE PRECISION, because the second rule matches before the default one, DECIMAL(38,18).
- `on_failure` is `continue`, because `order_by` keeps an older row from replacing a newer one, whatever the order of
  the files.

## Use an editor

The first line of the example names the JSON Schema of specs. Editors that read it underline mistakes, complete fields,
values, types and encodings, and describe each:

- **VS Code**: install the extension YAML (`redhat.vscode-yaml`).
- **Neovim, Emacs, Helix, Sublime Text**: set up `yaml-language-server` for YAML.
- **IntelliJ, PyCharm**: choose the schema under *Languages & Frameworks, Schemas and DTDs, JSON Schema Mappings*.

| File | First line |
|---|---|
| `pipelines/NAME.yml` | `# yaml-language-server: $schema=../schemas/pipeline.schema.json` |
| `pipelines/tests/NAME.yml` | `# yaml-language-server: $schema=../../schemas/feed_tests.schema.json` |
| `environments.yml` | `# yaml-language-server: $schema=schemas/environments.schema.json` |

`feedway init` writes the schemas into `schemas/`, and the first lines of the files that it begins. After an upgrade of
Feedway remove `schemas/`, and the next `init` writes the current ones.

## `pipelines/NAME.yml`
"""

ENVIRONMENTS = """
## `environments.yml`

Where each environment's lake and warehouse are. `--env` takes `NAME`.
"""

RULES_INTRODUCTION = """
## Look up a rule of `validate`

Each problem ends with the rule that found it, such as `(spec/unknown-field)`.
"""

LINE_LENGTH = 120
LONGEST_UNBROKEN = 80
"""Characters of a piece of code that stays on one line."""

TYPE_WORDS = {"object": "mapping", "array": "list", "string": "text", "integer": "whole number"}


def generate() -> str:
    """Return the text of docs/spec.md."""
    parts = [INTRODUCTION]
    parts += _sections(_schema("pipeline"), "")
    parts.append(ENVIRONMENTS)
    parts += _sections(_schema("environments"), "")
    parts.append(RULES_INTRODUCTION)
    parts += [_rule(name, rule) for name, rule in RULES.items()]
    return "\n".join(parts)


def _schema(name: str) -> Mapping[str, Any]:
    text = (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8")
    schema: Mapping[str, Any] = json.loads(text)
    return schema


def _sections(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the list of a mapping's fields, and then those of the mappings in it."""
    fields = schema.get("properties", {})
    if fields:
        if path:
            yield f"\n### `{path}`\n\n{_wrapped(schema['description'])}\n"
        yield from (_entry(name, field, schema) for name, field in fields.items())
    for name, field in fields.items():
        inner = f"{path}.{name}" if path else name
        yield from _sections(field, inner)
        yield from _sections(field.get("items", {}), f"{inner}[]")
        others = field.get("additionalProperties")
        yield from _sections(others if isinstance(others, dict) else {}, f"{inner}.NAME")


def _entry(name: str, field: Mapping[str, Any], parent: Mapping[str, Any]) -> str:
    kind = _type(field)
    if name in parent.get("required", ()):
        kind += ", required"
    elif "default" in field:
        kind += f", default {_code(field['default'])}"
    return _wrapped(f"- **`{name}`** ({kind}): {field['description']} Example: {_code(field['examples'][0])}.", "  ")


def _rule(name: str, rule: Rule) -> str:
    section = rule.section.removeprefix("docs/").removeprefix(TARGET.name)
    return _wrapped(f"- **`{name}`**: {rule.finds} ([details]({section}))", "  ")


def _wrapped(text: str, indent: str = "") -> str:
    """Return a text in lines of at most 120 characters; short code stays on one line."""
    unbroken = re.compile(f"`[^`]{{1,{LONGEST_UNBROKEN}}}`")
    joined = unbroken.sub(lambda code: code[0].replace(" ", "\0"), text)
    lines = textwrap.wrap(joined, LINE_LENGTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\0", " ")


def _type(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return " | ".join(dict.fromkeys(_code(value) for value in field["enum"]))
    types = [field["type"]] if isinstance(field["type"], str) else sorted(field["type"], key="null".__eq__)
    return " or ".join(TYPE_WORDS.get(each, each) for each in types)


def _code(value: object) -> str:
    """Return a value as YAML writes it in one line."""
    text = value if isinstance(value, str) and value.strip() == value and value else json.dumps(value)
    return f"`{text}`"


if __name__ == "__main__":
    TARGET.write_text(generate(), encoding="utf-8")
    sys.stdout.write(f"wrote {TARGET.relative_to(ROOT)}\n")
