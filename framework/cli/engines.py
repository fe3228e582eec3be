"""Opens each frame engine once, when the first load needs it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from framework.errors import SpecError
from framework.lake.lake import Lake
from framework.model.files import SourceBatch
from framework.rows.choice import EngineName, active_spark_session, choose_engine, missing_package
from framework.rows.protocol import FrameEngine
from framework.spec.environment import Environment


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


class FrameEngines:
    """Chooses each load's engine. Loads in several threads share the engines, which are closed with the block."""

    def __init__(
        self,
        environment: Environment,
        lake: Lake,
        spark_conf: Mapping[str, str],
        process_environment: Mapping[str, str],
    ) -> None:
        self._environment = environment
        self._lake = lake
        self._spark_conf = spark_conf
        self._process_environment = process_environment
        # Read now, in the thread that may have made one: Spark keeps the active session by thread.
        self._active_session = active_spark_session()
        self._engines: dict[EngineName, FrameEngine] = {}
        self._opening = threading.Lock()
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    def choose(self, batch: SourceBatch) -> FrameEngine:
        """Return the engine for a batch.

        Raises:
            SpecError: the engine's packages are not installed.
        """
        settings = self._environment.embedded
        name = choose_engine(self._environment.engine, batch, settings.max_bytes, self._active_session is not None)
        openers: dict[EngineName, Callable[[], FrameEngine]] = {"embedded": self._embedded, "spark": self._spark}
        with self._opening:
            if name not in self._engines:
                try:
                    self._engines[name] = openers[name]()
                except ImportError as error:
                    raise _is_missing(name, error.name) from error
            return self._engines[name]

    def _embedded(self) -> FrameEngine:
        # Nothing imports duckdb before an embedded load really starts.
        from framework.rows.embedded.engine import EmbeddedFrames

        settings = self._environment.embedded
        engine = EmbeddedFrames(self._lake, settings.memory_bytes, settings.directory)
        self._closing.callback(engine.close)
        return engine

    def _spark(self) -> FrameEngine:
        # Nothing imports pyspark before a Spark load really starts.
        from framework.rows.spark.engine import SparkFrames
        from framework.rows.spark.session import make_session

        for name, value in self._process_environment.items():
            os.environ.setdefault(name, value)
        session = make_session(self._spark_conf, self._active_session)
        engine = SparkFrames(session, self._lake, self._environment.embedded.directory)
        self._closing.callback(engine.close)
        return engine
