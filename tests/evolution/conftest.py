"""Fixtures of the tests of schema evolution."""

from __future__ import annotations

from tests.sandbox.conftest import feed

__all__ = ["feed"]
