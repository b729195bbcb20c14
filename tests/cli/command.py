"""The command, called in this process."""

import pytest

from symjax.cli.main import main

OPTIONS = ["--preset", "tiny", "--channels", "2", "--radial-widths", "4", "--test", "4", "--epochs", "3"]


def symjax(*words):
    """Run the command in this process; returns its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    return ended.value.code
