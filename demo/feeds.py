"""The demo's feeds, made the same way every time."""

from __future__ import annotations

import csv
import io
import random
from collections.abc import Iterator, Mapping, Sequence

CUSTOMERS = 3_000
ORDERS = 2_000
_COUNTRIES = ("AT", "CH", "DE", "FR", "IT")
_NAMES = ("Ada", "Zoë", "José", "Mary Ann", "Jürgen", 'Bob "Bobby"', "O'Neil", "Łukasz")
_NOTES = ("", "prefers mail", "calls\nafter noon", 'said, "call back"')


def customers(version: int) -> str:
    """Return the customer extract. The second drifts: see `_second_customer`."""
    randomness = random.Random(1)
    rows = [_customer(number, randomness) for number in range(1, CUSTOMERS + 1)]
    if version == 2:
        changed = [_second_customer(row) for row in rows if row["Cust No"].endswith("0")]
        new = [_customer(number, randomness) for number in range(CUSTOMERS + 1, CUSTOMERS + 201)]
        rows = [*changed, *(_second_customer(row) for row in new)]
    return _csv(rows)


def orders(version: int) -> str:
    """Return the order lines; the second version repeats some, changed, and adds a column."""
    randomness = random.Random(2)
    rows = list(_order_lines(1, ORDERS, randomness))
    if version == 2:
        repeated = [row | {"Status": "shipped"} for row in rows[:300]]
        rows = [
            row | {"Ship Method": "parcel"} for row in (*repeated, *_order_lines(ORDERS + 1, ORDERS + 400, randomness))
        ]
    return _csv(rows)


def _customer(number: int, randomness: random.Random) -> dict[str, str]:
    return {
        "Cust No": f"C{number:06d}",
        "First Name!": randomness.choice(_NAMES),
        "Postal Code": f"{randomness.randrange(500, 99999):05d}",
        "Country": randomness.choice(_COUNTRIES),
        "Credit Limit": str(randomness.randrange(1, 90) * 1000),
        "Balance": str(randomness.randrange(0, 5000)),
        "Segment": randomness.choice(("retail", "wholesale")),
        "Notes": randomness.choice(_NOTES),
        "Signed Up": f"{randomness.randrange(1, 29):02d}/{randomness.randrange(1, 13):02d}/2025 08:{number % 60:02d}",
        "Updated At": f"2026-01-{number % 28 + 1:02d} 12:00:00",
        "Internal Flag": "x",
    }


def _second_customer(row: Mapping[str, str]) -> dict[str, str]:
    """A new column, a longer text, an int that outgrows INTEGER, `10` that becomes `10.50`, a column less."""
    drifted = {name: value for name, value in row.items() if name != "Segment"}
    return drifted | {
        "Credit Limit": "3000000000",
        "Balance": f"{row['Balance']}.50",
        "Notes": "a long story, in full: " + "and then " * 40,
        "Updated At": "2026-02-01 12:00:00",
        "Loyalty Level": "gold" if row["Cust No"] > f"C{CUSTOMERS:06d}" else "",
    }


def _order_lines(first: int, last: int, randomness: random.Random) -> Iterator[dict[str, str]]:
    for order in range(first, last + 1):
        for line in (1, 2):
            yield {
                "Order ID": str(order),
                "Line": str(line),
                "Customer": f"C{randomness.randrange(1, CUSTOMERS):06d}",
                "Quantity": str(randomness.randrange(1, 20)),
                "Price": f"{randomness.randrange(100, 99999) / 100:.2f}",
                "Ordered At": f"2026-01-{order % 28 + 1:02d}",
                "Status": randomness.choice(("new", "paid")),
            }


def _csv(rows: Sequence[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
