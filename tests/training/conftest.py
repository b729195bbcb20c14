"""Marks of the tests that start processes."""


def pytest_configure(config):
    config.addinivalue_line("markers", "multiprocess: starts several processes that train together over loopback")
