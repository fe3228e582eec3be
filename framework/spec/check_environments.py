"""Checks of `environments.yml` that a JSON Schema does not express well."""

from __future__ import annotations

from collections.abc import Iterator

from framework.spec.check_names import table_name_findings
from framework.spec.document import Finding, Path
from framework.spec.fields import mapping_at, text_at, text_field


def environment_findings(document: object) -> Iterator[Finding]:
    """Yield what is wrong with how the environments reach their warehouses, and whom they tell of loads."""
    for name, environment in mapping_at(document, "environments").items():
        if isinstance(environment, dict):
            path: Path = ("environments", name, "warehouse")
            yield from _warehouse_findings(path, mapping_at(environment, "warehouse"))
            if text_at(environment, "kind") == "sandbox" and any(mapping_at(environment, "announce").values()):
                message = "announce is for environments on AWS, and this one is the sandbox"
                fix = "Leave it out: the sandbox has neither CloudWatch nor EventBridge."
                yield Finding(("environments", name, "announce"), "spec/announce", message, fix, at_key=True)


def _warehouse_findings(path: Path, warehouse: object) -> Iterator[Finding]:
    workgroup, cluster = text_at(warehouse, "workgroup"), text_at(warehouse, "cluster")
    if workgroup is None and cluster is None:
        message = "warehouse.workgroup is missing, and so is warehouse.cluster"
        fix = "Name the Serverless workgroup, or the cluster."
        yield Finding((*path, "workgroup"), "spec/warehouse", message, fix)
    elif workgroup is not None and cluster is not None:
        message = "warehouse has a workgroup and a cluster, but is one of the two"
        yield Finding((*path, "cluster"), "spec/warehouse", message, "Keep one.", at_key=True)
    elif workgroup is not None and text_at(warehouse, "db_user") is not None:
        message = "warehouse.db_user works with a cluster only"
        fix = "Leave it out: a workgroup is reached by IAM identity or secret_arn."
        yield Finding((*path, "db_user"), "spec/warehouse", message, fix, at_key=True)
    for inner, name in text_field(warehouse, "control_schema"):
        yield from table_name_findings((*path, *inner), name)
