"""Graphs from data, beside the baselines that any of them must beat."""
