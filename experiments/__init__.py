"""One script, one file, one table or figure of one paper: `python -m experiments.NAME --help`."""
