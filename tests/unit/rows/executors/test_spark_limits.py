from __future__ import annotations

import pytest

from framework.errors import MachineError
from framework.rows.executors.spark_limits import MB, task_limits

GB = 1024 * MB
CORES_4 = {"spark.executor.cores": "4", "spark.executor.memory": "10g"}


@pytest.mark.parametrize(
    ("master", "attempts"),
    [("local", 1), ("local[2]", 1), ("local[*]", 1), ("local[2,4]", 4), ("local[*, 3]", 3)],
)
def test_a_local_task_is_repeated_as_its_master_says(master: str, attempts: int) -> None:
    limits = task_limits({"spark.master": master, "spark.task.maxFailures": "9"}, GB)

    assert (limits.attempts, limits.is_local) == (attempts, True)


@pytest.mark.parametrize("master", ["yarn", "spark://host:7077", "k8s://https://host", "local-cluster[2,1,1024]"])
def test_a_task_on_a_cluster_is_repeated_as_its_setting_says(master: str) -> None:
    assert task_limits({"spark.master": master}, GB).attempts == 4
    limits = task_limits({"spark.master": master, "spark.task.maxFailures": "2"}, GB)
    assert (limits.attempts, limits.is_local) == (2, False)


@pytest.mark.parametrize(("threads", "megabytes"), [(1, 1024), (2, 512), (64, 128)])
def test_concurrent_tasks_of_a_local_session_share_the_memory(threads: int, megabytes: int) -> None:
    assert task_limits({"spark.master": f"local[{threads}]"}, GB).memory_bytes == megabytes * MB


@pytest.mark.parametrize(
    ("settings", "megabytes"),
    [
        ({}, 184),
        ({"spark.executor.memory": "20g"}, 1024),
        ({"spark.executor.memory": "6g"}, 414),
        ({"spark.executor.memory": "2048", "spark.executor.memoryOverheadFactor": "0.4"}, 619),
        ({"spark.executor.memoryOverhead": "1g", "spark.executor.memory": "20g"}, 824),
        ({"spark.executor.memoryOverhead": "1400", "spark.executor.cores": "4"}, 150),
        ({"spark.executor.memoryOverhead": "1400m", "spark.executor.cores": "4", "spark.task.cpus": "2"}, 500),
        ({"spark.executor.memoryOverhead": "4g", "spark.executor.pyspark.memory": "500m"}, 300),
    ],
)
def test_a_task_has_its_share_of_what_an_executor_leaves_for_python(settings: dict[str, str], megabytes: int) -> None:
    assert task_limits({"spark.master": "yarn", **settings}, GB).memory_bytes // MB == megabytes


@pytest.mark.parametrize("cpus", [1, 2])
def test_duckdb_has_the_threads_of_a_task(cpus: int) -> None:
    assert task_limits({"spark.master": "local[4]", "spark.task.cpus": str(cpus)}, GB).threads == cpus


@pytest.mark.parametrize(
    ("settings", "free", "tasks", "needed"),
    [
        ({"spark.master": "yarn", **CORES_4}, 1024, "4 concurrent tasks", 1056),
        ({"spark.master": "spark://host:7077", "spark.executor.memoryOverhead": "200m"}, 200, "1 concurrent task", 264),
    ],
)
def test_too_little_memory_names_the_setting_and_a_value(
    settings: dict[str, str], free: int, tasks: str, needed: int
) -> None:
    with pytest.raises(MachineError) as raised:
        task_limits(settings, GB)
    assert str(raised.value) == (
        f"spark.executor.memoryOverhead leaves {free} MB for {tasks} in an executor, and each needs 264 MB: "
        f"set spark.executor.memoryOverhead to {needed}m or more"
    )


@pytest.mark.parametrize("master", ["jes", "spark://host:7077"])
def test_a_default_that_kills_no_worker_is_no_reason_to_refuse(master: str) -> None:
    """As with the defaults of AWS Glue's workers."""
    assert task_limits({"spark.master": master, **CORES_4}, GB).memory_bytes == 128 * MB
