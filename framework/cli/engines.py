"""Opens each row engine once, when the first load needs it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from framework.errors import SpecError
from framework.lake.lake import Lake
from framework.lake.local import LocalStore
from framework.model.files import SourceBatch, SourceFile
from framework.rows.choice import EngineName, active_spark_session, choose_engine, missing_package
from framework.rows.protocol import ObjectStore, RowEngine
from framework.spec.environment import Environment

if TYPE_CHECKING:
    from framework.rows.executors.spark import SparkExecutor

_Opened = EngineName | Literal["local"]
"""An engine that is opened; `local` is the embedded one that reads files of this machine."""


def require_engine(environment: Environment) -> None:
    """Check that an engine's packages are installed, before a file is touched.

    Raises:
        SpecError: the package of the engine is not; or of both, where either will do.
    """
    engines: tuple[EngineName, ...] = ("embedded", "spark") if environment.engine == "auto" else (environment.engine,)
    missing = {name: package for name in engines if (package := missing_package(name)) is not None}
    if len(missing) == len(engines):
        name, package = next(iter(missing.items()))
        raise _is_missing(name, package)


def _is_missing(engine: EngineName, package: str | None) -> SpecError:
    return SpecError(
        f"the {engine} engine needs the package {package!r}, which is not installed: "
        f"pip install 'feedway[{engine}]', or set another engine in environments.yml"
    )


class RowEngines:
    """Chooses each load's engine. Loads in several threads share the engines, which are closed with the block."""

    def __init__(
        self,
        environment: Environment,
        lake: Lake,
        process_environment: Callable[[], Mapping[str, str]],
    ) -> None:
        """`process_environment` finds the environment variables that a Spark session of this process needs."""
        self._environment = environment
        self._lake = lake
        self._process_environment = process_environment
        # Read now, in the thread that may have made one: Spark keeps the active session by thread.
        self._active_session = active_spark_session()
        self._engines: dict[_Opened, RowEngine] = {}
        self._opening = threading.Lock()
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def choose(self, batch: SourceBatch) -> RowEngine:
        """Return the engine for a batch; files of this machine are for the embedded one.

        Raises:
            SpecError: the engine's packages are not installed.
        """
        if batch.files[0].file.local_path is not None:
            return self._opened("local")
        settings = self._environment.embedded
        return self._opened(
            choose_engine(self._environment.engine, batch, settings.max_bytes, self._active_session is not None)
        )

    def open_ahead(self) -> None:
        """Open the embedded engine, unless Spark reads all rows, while the caller waits for something else.

        An engine whose packages are not installed is not opened: the load that needs it fails.
        """
        if self._environment.engine != "spark" and self._active_session is None:
            with suppress(SpecError):
                self._opened("embedded")

    def reach_spark(self, file: SourceFile) -> list[str]:
        """Read a file of the lake by tasks in Spark's workers; return the host of each task.

        Raises:
            SpecError: a package is not installed here, or the session is one of Spark Connect.
            PipelineError: a worker lacks something, or cannot read the file.
        """
        try:
            return self._spark_executor().reach(self._lake.store, file)
        except ImportError as error:
            raise _is_missing("spark", error.name) from error

    def _opened(self, name: _Opened) -> RowEngine:
        openers: dict[_Opened, Callable[[], RowEngine]] = {
            "embedded": partial(self._embedded, self._lake.store),
            "local": partial(self._embedded, LocalStore()),
            "spark": self._spark,
        }
        with self._opening:
            if name not in self._engines:
                try:
                    self._engines[name] = openers[name]()
                except ImportError as error:
                    raise _is_missing("embedded" if name == "local" else name, error.name) from error
            return self._engines[name]

    def _embedded(self, store: ObjectStore) -> RowEngine:
        # Nothing imports duckdb before an embedded load really starts.
        from framework.rows.engine import SplitEngine
        from framework.rows.executors.embedded import EmbeddedExecutor

        settings = self._environment.embedded
        executor = EmbeddedExecutor(settings.memory_bytes, settings.directory)
        self._closing.callback(executor.close)
        return SplitEngine(executor, store)

    def _spark(self) -> RowEngine:
        from framework.rows.engine import SplitEngine

        return SplitEngine(self._spark_executor(), self._lake.store)

    def _spark_executor(self) -> SparkExecutor:
        # Nothing imports pyspark before a Spark load really starts.
        from framework.rows.executors.spark import SparkExecutor
        from framework.rows.executors.spark_session import make_session

        for name, value in self._process_environment().items():
            os.environ.setdefault(name, value)
        session = make_session(self._active_session)
        return SparkExecutor(session, self._environment.embedded.memory_bytes)
