"""Checks of `environments.yml` that a JSON Schema does not express well."""

from __future__ import annotations

from collections.abc import Iterator

from framework.spec.checks.names import table_name_findings
from framework.spec.checks.notify import notify_findings
from framework.spec.document import Finding, Path, field_name
from framework.spec.fields import mapping_at, text_at, text_field


def environment_findings(document: object) -> Iterator[Finding]:
    """Yield the problems of the environments' warehouses, regions and notifications."""
    for name, environment in mapping_at(document, "environments").items():
        if isinstance(environment, dict):
            path: Path = ("environments", name, "warehouse")
            yield from _warehouse_findings(path, mapping_at(environment, "warehouse"))
            yield from _region_findings(("environments", name), environment)
            yield from notify_findings(("environments", name), environment)


def _region_findings(path: Path, environment: object) -> Iterator[Finding]:
    """Yield a finding where lake, warehouse and secret are known to be in different regions.

    COPY from Parquet takes no REGION. Source: https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html
    """
    regions = [
        ((*path, *inner), region)
        for inner, text in (
            *text_field(environment, "lake", "region"),
            *text_field(environment, "warehouse", "region"),
            *text_field(environment, "warehouse", "workgroup"),
            *text_field(environment, "warehouse", "secret_arn"),
        )
        if (region := _region_of(text) if inner[-1] != "region" else text) is not None
    ]
    for place, region in regions[1:]:
        if region != regions[0][1]:
            first, this = (field_name(each[2:]) for each in (regions[0][0], place))
            message = f"{first} is in {regions[0][1]}, but {this} is in {region}"
            fix = "COPY from Parquet reads only a bucket in the warehouse's own region: name one region."
            yield Finding(place, "spec/region", message, fix)
            return


def _region_of(arn: str) -> str | None:
    """Return the region that an ARN names; None for any other text."""
    parts = arn.split(":")
    return parts[3] or None if parts[0] == "arn" and len(parts) > 4 else None


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
