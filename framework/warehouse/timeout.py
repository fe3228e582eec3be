"""Whether a cancelled statement had reached its timeout, so that a retry would end the same way.

Redshift reports both as `Query (150) canceled on user's request`, and the Data API shows no SQLSTATE. Sources:
https://docs.aws.amazon.com/redshift/latest/dg/r_statement_timeout.html (milliseconds; 0 is no limit)
https://docs.aws.amazon.com/redshift/latest/dg/r_CANCEL.html
https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html (Duration is in nanoseconds)
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from framework.errors import WarehouseError
from framework.model.names import statement_name
from framework.plan.render import render
from framework.plan.steps import select
from framework.warehouse.refusals import is_cancelled_text

if TYPE_CHECKING:
    from framework.warehouse.client import Caller, Warehouse

_NANOSECONDS_PER_MS = 1_000_000


def time_used_up(warehouse: Warehouse, description: Mapping[str, Any], caller: Caller) -> int | None:
    """Return the statement_timeout, in milliseconds, that a failed statement reached; None where it reached none.

    Queries the timeout only where the statement was cancelled after it had run for some time.
    """
    if description["Status"] != "ABORTED" and not is_cancelled_text(description.get("Error") or ""):
        return None
    # In a batch, the longest statement is the cancelled one: the others ended in time.
    parts = description.get("SubStatements") or [description]
    ran_ms = max(part.get("Duration") or 0 for part in parts) // _NANOSECONDS_PER_MS
    timeout_ms = _statement_timeout(warehouse, caller) if ran_ms > 0 else 0
    return timeout_ms if 0 < timeout_ms <= ran_ms else None


def _statement_timeout(warehouse: Warehouse, caller: Caller) -> int:
    """Return the connecting user's statement_timeout in milliseconds; 0 where there is none, or it cannot be read."""
    sql = render(select("select_statement_timeout"), caller.pipeline, caller.run_id)
    name = statement_name(caller.pipeline, caller.run_id, "statement_timeout")
    try:
        statement_id = warehouse.submit([sql], name, uuid.uuid4().hex)["Id"]
        if warehouse.poll(statement_id)["Status"] != "FINISHED":
            return 0
        ((value,),) = warehouse.fetch(statement_id)
    except WarehouseError:
        return 0
    return int(value) if str(value).isdigit() else 0  # type: ignore[arg-type]
