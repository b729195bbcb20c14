"""Causal inference beside its peers, one file a group of rows: `rows()` measures both sides in one run."""
