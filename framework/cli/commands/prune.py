"""`history --prune`: removes rows of JOB_STS that nothing needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from framework.cli.output import Output
from framework.load.services import Services
from framework.model.words import counted
from framework.warehouse.audit import prune_audit
from framework.warehouse.session import WarehouseSession


@dataclass(frozen=True)
class Pruning:
    """The number of rows of JOB_STS that were removed, or would be. `before` is UTC."""

    before: str
    rows: int
    by_status: dict[str, int]
    removed: bool


def report_pruning(
    names: Sequence[str], before: datetime, services: Services, output: Output, *, is_confirmed: bool
) -> int:
    """Remove the old rows where that is confirmed, and print how many there are.

    Raises:
        WarehouseError: the warehouse cannot be reached, or refuses.
    """
    log = services.open_log(services.new_run_id(), "history")
    warehouse = WarehouseSession(services.warehouse, "history", log)
    counts = prune_audit(warehouse, names, before, is_confirmed=is_confirmed)
    pruning = Pruning(before.strftime("%Y-%m-%d %H:%M:%S"), sum(counts.values()), counts, is_confirmed)
    output.document({"pruned": asdict(pruning)}, lambda: _text(pruning))
    return 0


def _text(pruning: Pruning) -> str:
    if not pruning.rows:
        return f"nothing to remove: each row of JOB_STS begun before {pruning.before} is the last of its file"
    listed = ", ".join(f"{count:,} {status}" for status, count in pruning.by_status.items())
    rows = f"{counted(pruning.rows, 'row')} of JOB_STS"
    if pruning.removed:
        return f"removed {rows} begun before {pruning.before}: {listed}"
    return (
        f"would remove {rows} begun before {pruning.before}: {listed}. The last row of each "
        "file, and its last SUCCESS, stay. Use --yes to remove them."
    )
