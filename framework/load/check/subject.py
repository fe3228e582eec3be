"""What is checked: an environment's services, and the specs whose tables it has to load."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property

from framework.dataclass import dataclass
from framework.errors import WarehouseError
from framework.lake.heartbeat import run_prefix
from framework.lake.lake import Lake
from framework.load.services import Services
from framework.model.names import TableName
from framework.spec.pipeline import PipelineSpec
from framework.warehouse.rights import Connection, read_connection
from framework.warehouse.session import WarehouseSession

NAME = "check"
"""In the place of a pipeline's name in the log and in the query history."""
_FOLDER = "_check"
"""In the place of a pipeline's name in keys; no pipeline can have it."""


@dataclass(frozen=True)
class Reached:
    """How the warehouse has answered the first query, and after how long; one of the first two is None."""

    connection: Connection | None
    error: WarehouseError | None
    seconds: float


@dataclass(frozen=True)
class Subject:
    """An environment whose services could be opened.

    `specs` are those of the project that can be read, `unread` counts the others. `place_of` returns the file and line
    of a field of the environment. With `creates` the control schema is completed.
    """

    services: Services
    specs: Sequence[PipelineSpec]
    unread: int
    place_of: Callable[[str], str]
    creates: bool

    @property
    def lake(self) -> Lake:
        """The lake."""
        return self.services.lake

    @cached_property
    def warehouse(self) -> WarehouseSession:
        """The warehouse, bound to this check."""
        log = self.services.open_log(self.services.new_run_id(), NAME)
        return WarehouseSession(self.services.warehouse, NAME, log)

    @cached_property
    def reached(self) -> Reached:
        """The answer to the first query, which is sent when it is first asked for."""
        began = time.monotonic()
        try:
            connection, error = read_connection(self.warehouse), None
        except WarehouseError as refused:
            return Reached(None, refused, time.monotonic() - began)
        return Reached(connection, error, time.monotonic() - began)

    @property
    def connection(self) -> Connection:
        """The user and the database. Raises the WarehouseError that the first query met."""
        if self.reached.connection is None:
            assert self.reached.error is not None
            raise self.reached.error
        return self.reached.connection

    @property
    def staging_prefix(self) -> str:
        """The key prefix below which objects of this check are written, and deleted."""
        return run_prefix(self.lake, _FOLDER, self.services.invocation_id, self.warehouse.run_id)

    @property
    def bucket_arn(self) -> str:
        """The bucket's ARN."""
        prefixes = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
        partition = next((name for start, name in prefixes.items() if self.lake.region.startswith(f"{start}-")), "aws")
        return f"arn:{partition}:s3:::{self.lake.bucket}"

    @property
    def relations(self) -> list[TableName]:
        """The targets and views of the specs, each once."""
        named = (name for spec in self.specs for name in (spec.target.table, *(view.view for view in spec.views)))
        return list(dict.fromkeys(named))

    def field(self, name: str) -> str:
        """Return a field of the environment with its place: `lake.bucket (environments.yml:5)`."""
        return f"{name} ({self.place_of(name)})"
