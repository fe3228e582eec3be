"""Numbers that Spark aggregates while it processes rows, and their reading."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as sql_functions

from framework.errors import PipelineError

_TIMEOUT_SECONDS = 120.0


def observe(frame: DataFrame, numbers: Mapping[str, str]) -> tuple[DataFrame, Observation]:
    """Return the frame with aggregates over its rows, each a SQL expression under a name."""
    observation = Observation()
    first, *others = [sql_functions.expr(expression).alias(name) for name, expression in numbers.items()]
    return frame.observe(observation, first, *others), observation


def read_observation(observation: Observation) -> Mapping[str, Any]:
    """Return the numbers of an action that has succeeded.

    Spark delivers them on another thread, usually immediately, and never where the optimizer has
    removed the observed rows.

    Raises:
        PipelineError: they did not come.
    """
    found: list[Mapping[str, Any]] = []
    reader = threading.Thread(target=lambda: found.append(observation.get), daemon=True)
    reader.start()
    reader.join(_TIMEOUT_SECONDS)
    if not found:
        raise PipelineError(
            f"Spark wrote the rows and did not say within {_TIMEOUT_SECONDS:.0f} s how many; "
            "run the load again, and report it when it happens again"
        )
    return found[0]


def union(frames: Sequence[DataFrame]) -> DataFrame:
    """Return the rows of all frames, which have the same columns in the same order."""
    # By halves: a chain of hundreds would be as deep as it is long, and each link is analysed anew.
    if len(frames) == 1:
        return frames[0]
    middle = len(frames) // 2
    return union(frames[:middle]).unionAll(union(frames[middle:]))
