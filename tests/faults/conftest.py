"""Fixtures of the fault tests."""

from __future__ import annotations

from tests.sandbox.conftest import feed

__all__ = ["feed"]
