"""The `symjax` command."""
