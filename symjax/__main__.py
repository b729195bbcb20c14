"""`python -m symjax` is the `symjax` command."""

from symjax.cli.main import main

main()
