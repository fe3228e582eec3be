"""Fixtures of the fault tests."""

from __future__ import annotations

from tests.sandbox.conftest import feed, prompt_polls

__all__ = ["feed", "prompt_polls"]
