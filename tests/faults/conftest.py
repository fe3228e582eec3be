"""Fixtures of the fault tests."""

from __future__ import annotations

from tests.sandbox.conftest import make_feed

__all__ = ["make_feed"]
