"""One verb of the command a file, imported when it is chosen."""
