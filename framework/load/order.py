"""The order of a feed's files, and whether a loaded file comes after one of them."""

from __future__ import annotations

from framework.lake.lake import Lake
from framework.load.request import Corrections, LoadRequest, accepted_by, names_files
from framework.model.files import SourceFile
from framework.plan.precedence import Precedence, deciding_order
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.audit import FeedOrder, NewestLoad


def precedence_of(spec: PipelineSpec, lake: Lake, request: LoadRequest) -> Precedence | None:
    """Return the order of the request's files; None where it does not matter.

    Corrected rows overwrite nothing, so their order does not matter.
    """
    if accepted_by(request).out_of_order or isinstance(request, Corrections):
        return None
    return deciding_order(spec, lake.key(spec.source.prefix), is_picked=names_files(request))


def order_of(spec: PipelineSpec, lake: Lake) -> FeedOrder:
    """Return what the newest loaded file of a feed is, by its order."""
    return FeedOrder(
        spec.pipeline, spec.target.table, lake.key(spec.source.prefix) if spec.source.order == "name" else None
    )


def is_after(spec: PipelineSpec, newest: NewestLoad, file: SourceFile) -> bool:
    """Return whether the newest loaded file comes after a file in the order of the feed."""
    key, arrival = newest
    return key > file.identity.key if spec.source.order == "name" else arrival > file.arrived_at
