from __future__ import annotations

import pickle

import pytest

from framework.errors import (
    AtFault,
    Cause,
    MachineError,
    OnRefusal,
    PipelineError,
    Problem,
    RefusedStatement,
    SchemaChangeError,
    SourceFileError,
    SpecError,
    TransientWarehouseError,
    WarehouseError,
)

REFUSAL = {
    "statement_id": "id",
    "refused": RefusedStatement(2, OnRefusal.REPLAN, 7, AtFault("a", "x.parquet")),
    "cause": Cause.NOT_PERMITTED,
    "warehouse_message": "permission denied",
    "is_outage": True,
}


@pytest.mark.parametrize(
    "error",
    [
        PipelineError("what happened"),
        SpecError("the spec", [Problem("a.yml", 1, 2, "spec/unknown-field", "unknown", "remove it")]),
        SourceFileError("broken", ["data/in/a.csv"], "--accept", needs_new_file=True),
        SchemaChangeError("a type"),
        MachineError("the disk is full"),
        WarehouseError("refused", **REFUSAL),  # type: ignore[arg-type]
        TransientWarehouseError("throttled", **REFUSAL),  # type: ignore[arg-type]
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_back_from_another_process_as_it_was(error: PipelineError) -> None:
    found = pickle.loads(pickle.dumps(error))

    assert type(found) is type(error)
    assert str(found) == str(error)
    assert vars(found) == vars(error)
    assert found.is_outage == error.is_outage
