"""Processes on real servers, as in the tests of the whole service."""

from tests.integration.conftest import log, settings

__all__ = ["log", "settings"]
