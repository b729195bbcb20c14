"""Marks of the tests that start processes, and silence of what comes late after a failed read."""

import pytest

from symjax.cli.quiet import drop_echoes


def pytest_configure(config):
    config.addinivalue_line("markers", "multiprocess: starts several processes that train together over loopback")


@pytest.fixture(autouse=True, scope="session")
def without_echoes():
    drop_echoes()
