"""Effects from arrays: averages, instruments, and effects that differ between units."""
