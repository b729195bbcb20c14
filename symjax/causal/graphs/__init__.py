"""Graphs of causes with hidden common causes: their value, their formats, and what they imply of data."""
