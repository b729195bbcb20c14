"""`python -m symjax` is the `symjax` command."""

from symjax.cli.main import main

if __name__ == "__main__":
    main()
